import { countModel } from '../../ir/diff.js';
import { readModel } from '../../ir/read-model.js';
import { withDecoderReading } from '../decoder-reading.js';
import {
  type InContext,
  PRODUCE_DEFAULTS,
  type ProduceOptions,
  type RefusalOptions,
  type WorkflowContext,
} from '../options.js';
import { checkOptions } from '../preflight/check-options.js';
import { checkDataPaths } from '../preflight/data.js';
import { checkModel } from '../preflight/model.js';
import { whyRefused } from '../result-budgets.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { commitWithReport } from '../write-report.js';
import { growthBytes } from './growth.js';
import type { CandidateModel, ModelCommand, Produced, ProducedReport } from './model-command.js';
import { fileInFolder, ModelFolder, namesFolder, withFolder } from './model-folder.js';
import { ModelRun } from './model-run.js';
import { siblingPath } from './report-path.js';
import { checkRunFiles } from './run-files.js';

/**
 * The one way of all commands that make a model from another. Options and files are checked, the model is read, what can be
 * known to fail is refused; candidates are written beside the target and checked until one stands; then it appears with its
 * report beside it, unless it is a dry run.
 * @throws ServeOptError; the output path then holds what it held before
 */
export async function produceModel<
  Options extends ProduceOptions,
  Report extends ProducedReport,
  Prepared,
  Candidate extends CandidateModel,
  Verdict,
>(
  path: string,
  given: Options & RefusalOptions<Report>,
  context: WorkflowContext,
  command: ModelCommand<Options, Report, Prepared, Candidate, Verdict>,
): Promise<Report> {
  const options: InContext<Options & RefusalOptions<Report>> = withDecoderReading({ ...given, ...context }, path);
  const ignored = checkOptions(command.name, options);
  const samplePaths = command.samplePaths(options);
  checkDataPaths(...samplePaths);
  command.checkOptions?.(options);
  growthBytes(options.maxGrowth ?? PRODUCE_DEFAULTS.maxGrowth, 0);
  if (options.outputPath !== undefined && namesFolder(options.outputPath)) {
    const outputPath = fileInFolder(options.outputPath, path);
    return withFolder(options.outputPath, () => produceModel(path, { ...given, outputPath }, context, command));
  }
  const outputPath = options.outputPath ?? siblingPath(path, command.tag(options));
  const stages = new Stages(options);
  const inputs = new WatchedInputs(...samplePaths);
  stages.start('read');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  inputs.add(model);
  try {
    const run = new ModelRun({ model, path, outputPath, options, stages });
    try {
      return await inputs.during(options.signal, async () => {
        run.warnings.push(...ignored, ...checkModel(model, options));
        checkRunFiles(model, path, outputPath, samplePaths, options);
        const prepared = await command.prepare(run);
        stages.end(`${countModel(model).nodes} nodes`);
        run.hashInput();
        const produced = await firstThatStands(run, prepared, command);
        const described = await command.describe(run, prepared, produced);
        inputs.check();
        const folder = options.dryRun || options.alone ? undefined : ModelFolder.plan(path, outputPath);
        const report = folder ? { ...described, notes: [...described.notes, ...folder.notes] } : described;
        refuse(report, options, command.budgetHint);
        if (options.dryRun) return report;
        run.onClose(() => folder?.discard());
        await folder?.stage();
        await commitWithReport(produced.staged, report, outputPath);
        folder?.commit();
        return report;
      });
    } finally {
      await run.close();
    }
  } finally {
    model.source?.close();
  }
}

/** A sound result that misses a budget is not handed over. @throws SO7001, SO7002 */
function refuse<Report extends ProducedReport>(
  report: Report,
  options: ProduceOptions & RefusalOptions<Report>,
  hint: string | undefined,
): void {
  const refused = whyRefused(report, { ...options, delivers: true, ...(hint === undefined ? {} : { hint }) });
  if (!refused) return;
  options.onRefused?.(report);
  throw refused;
}

/** Writes and checks one candidate after the other. */
async function firstThatStands<
  Options extends ProduceOptions,
  Report extends ProducedReport,
  Prepared,
  Candidate extends CandidateModel,
  Verdict,
>(
  run: ModelRun<Options>,
  prepared: Prepared,
  command: ModelCommand<Options, Report, Prepared, Candidate, Verdict>,
): Promise<Produced<Candidate, Verdict>> {
  let candidate = await command.make(run, prepared);
  for (;;) {
    const staged = await run.stage(candidate.model);
    const outcome = await command.check(run, prepared, candidate, staged);
    if ('verdict' in outcome) return { candidate, staged, verdict: outcome.verdict };
    staged.discard();
    candidate = outcome.next;
  }
}
