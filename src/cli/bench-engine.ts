import { EXIT, type ExitCode } from '../errors.js';
import type { TensorRtReport } from '../report/tensorrt-types.js';
import type { RunFiles } from '../workflows/options.js';
import { benchEngine } from '../workflows/tensorrt/bench-engine.js';
import type { CommandContext, CommandResult } from './command.js';
import { benchEngineOptions } from './engine-options.js';
import { engineTargets } from './engine-outputs.js';
import type { FlagValues } from './flags.js';
import { renderTensorRt, tensorRtSummary } from './render/tensorrt-text.js';
import { checkReportTargets, knownFiles, writeReports } from './report-targets.js';
import { workflowContext } from './workflow-options.js';

/** Measures an engine that is there. A gate that is not met sets the exit code, as with models. */
export async function runBenchEngine(
  context: CommandContext,
  path: string,
  dims: readonly string[],
  flags: FlagValues,
): Promise<CommandResult> {
  const options = benchEngineOptions(flags, dims, context);
  const targets = engineTargets(flags);
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([path, flags.baseline], true));
  const report = await benchEngine(path, { ...options, onFiles }, workflowContext(context));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return {
    report,
    text: () => renderTensorRt(report, { ...context, outputPath: undefined }),
    summary: tensorRtSummary(report),
    failure: await writeReports(targets, report),
    exitCode: exitCodeOf(report, flags),
  };
}

function exitCodeOf({ verdict }: TensorRtReport, flags: FlagValues): ExitCode {
  if (verdict === 'fail') return EXIT.gate;
  return verdict === 'inconclusive' && !flags['allow-inconclusive'] ? EXIT.inconclusive : EXIT.done;
}
