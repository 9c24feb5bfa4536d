import { ServeOptError } from '../errors.js';
import type { CheckpointReport } from '../report/checkpoint-types.js';
import { CHECKPOINT_MODES, type CheckpointMode } from '../targets/vllm/checkpoint-schemes.js';
import type { CheckpointOptions } from '../workflows/checkpoint/checkpoint-work.js';
import { checkpointOutputPath, quantizeCheckpoint } from '../workflows/checkpoint/quantize-checkpoint.js';
import type { CommandContext, CommandResult } from './command.js';
import type { FlagName, FlagValues } from './flags.js';
import { checkpointSummary, renderCheckpoint } from './render/checkpoint-text.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from './report-targets.js';
import { given, workflowContext } from './workflow-options.js';

/** Flags that mean something for a checkpoint. */
const TAKEN: ReadonlySet<string> = new Set<FlagName>([
  'for',
  'mode',
  'output',
  'force',
  'dry-run',
  'report',
  'block',
  'include',
  'exclude',
]);
const EVERYWHERE: ReadonlySet<string> = new Set(['json', 'quiet', 'verbose', 'debug', 'color', 'help']);

/** `serve-opt quantize <folder> --for vllm` */
export async function runCheckpoint(
  context: CommandContext,
  folder: string,
  flags: FlagValues,
): Promise<CommandResult> {
  const options = checkpointOptions(flags);
  const targets = reportTargets<CheckpointReport>(flags, async (report) =>
    (await import('../report/html/checkpoint-html.js')).checkpointHtml(report),
  );
  checkReportTargets(targets, knownFiles([], false));
  const report = await quantizeCheckpoint(folder, options, workflowContext(context));
  const failure = await writeReports(targets, report);
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const outputPath = report.written ? (flags.output ?? checkpointOutputPath(folder, report.mode)) : undefined;
  return {
    report,
    text: () => renderCheckpoint(report, { ...context, outputPath }),
    summary: checkpointSummary(report),
    failure,
  };
}

function checkpointOptions(flags: FlagValues): CheckpointOptions {
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || TAKEN.has(name) || EVERYWHERE.has(name)) continue;
    throw new ServeOptError('SO1002', `--for vllm and --${name} contradict each other`, {
      why: 'a checkpoint is quantized by its weights alone: no model is run, and no graph is changed',
      hint: `leave --${name} out`,
    });
  }
  if (flags.output === '-') {
    throw new ServeOptError('SO1006', 'The value "-" of -o is not allowed', {
      why: 'a checkpoint is a folder',
      hint: 'write -o FOLDER',
    });
  }
  return {
    ...given('mode', modeOf(flags.mode)),
    ...given('outputPath', flags.output),
    ...given('block', flags.block),
    ...given('include', flags.include),
    ...given('exclude', flags.exclude),
    ...given('dryRun', flags['dry-run']),
    ...given('force', flags.force),
  };
}

function modeOf(text: string | undefined): CheckpointMode | undefined {
  const mode = CHECKPOINT_MODES.find((each) => each === text);
  if (text === undefined || mode !== undefined) return mode;
  throw new ServeOptError('SO1002', `--for vllm and --mode ${text} contradict each other`, {
    why: `a checkpoint for vLLM is made in one of the modes ${CHECKPOINT_MODES.join(', ')}`,
    hint: 'write --mode w4a16',
  });
}
