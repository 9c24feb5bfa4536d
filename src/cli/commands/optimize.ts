import { dirname, join } from 'node:path';
import { reportJson } from '../../report/json.js';
import type { OptimizeReport } from '../../report/types.js';
import { recipeDocument } from '../../workflows/optimize/recipe.js';
import { optimizeModel } from '../../workflows/optimize-model.js';
import type { RunFiles } from '../../workflows/options.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { withStdoutFile } from '../model-to-stdout.js';
import { chosenRows, explainedPass, passChoice } from '../pass-choice.js';
import { optimizeSummary, renderOptimize } from '../render/optimize-text.js';
import { shellWord } from '../render/shell-word.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from '../report-targets.js';
import { optimizeOptions } from '../workflow-options.js';

/** `serve-opt optimize <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const choice = await passChoice(flags);
  const rows = chosenRows(choice);
  if (flags['print-recipe']) {
    const document = recipeDocument(rows);
    return { report: document, text: () => reportJson(document).trimEnd() };
  }
  const explain = flags.explain === undefined ? undefined : explainedPass(flags.explain, rows);
  const targets = reportTargets<OptimizeReport>(flags, async (made) => {
    const { optimizeHtml } = await import('../../report/html/optimize-html.js');
    return optimizeHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([path, flags.data], true));
  const options = { ...optimizeOptions(context, flags), ...choice, onFiles };
  if (flags.output !== '-') {
    const report = await optimizeModel(path, options);
    const failure = await writeReports(targets, report);
    const outputPath = flags['dry-run'] ? undefined : (flags.output ?? join(dirname(path), report.output.name));
    return { ...answer(context, report, explain, outputPath), failure };
  }
  const report = await withStdoutFile(context, flags, (outputPath) => optimizeModel(path, { ...options, outputPath }));
  const failure = await writeReports(targets, report);
  return { ...answer(context, report, explain, undefined), failure, stdoutTaken: true };
}

function answer(
  context: CommandContext,
  report: OptimizeReport,
  explain: string | undefined,
  outputPath: string | undefined,
): CommandResult {
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const next =
    outputPath === undefined || report.verification.runs === 'unchanged'
      ? undefined
      : `serve-opt quantize ${shellWord(outputPath)}`;
  return {
    report,
    text: () => renderOptimize(report, { ...context, outputPath, explain }),
    summary: optimizeSummary(report),
    ...(next === undefined ? {} : { next }),
  };
}
