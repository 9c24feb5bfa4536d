import { ERROR_TABLE, type ErrorCode, EXIT, type ExitCode, ServeOptError } from '../../errors.js';
import type { BenchReport } from '../../report/bench-types.js';
import { benchModels } from '../../workflows/bench/bench-models.js';
import { benchArguments, benchOptions } from '../bench-options.js';
import { checkReportTargets, writeReports } from '../bench-outputs.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { benchSummary, renderBench } from '../render/bench-text.js';

/** `serve-opt bench <model…>`, `serve-opt bench --url URL` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const { paths, dims } = benchArguments(args, flags);
  const options = benchOptions(context, flags, dims);
  if (paths.length === 0) {
    throw new ServeOptError('SO1001', 'bench needs <model>: path of an ONNX model', {
      hint: 'serve-opt bench model.onnx, or --url for a running server',
    });
  }
  checkReportTargets(flags, [...paths, ...(flags.baseline === undefined ? [] : [flags.baseline])]);
  const report = await benchModels(paths, options);
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  await writeReports(context, flags, report);
  return {
    report,
    text: () => renderBench(report, context),
    summary: benchSummary(report),
    exitCode: exitCodeOf(report, flags, context.signal),
  };
}

/** A signal counts before gates, gates before what could not be measured. */
function exitCodeOf(report: BenchReport, flags: FlagValues, signal: AbortSignal): ExitCode {
  if (report.interrupted) return signal.reason instanceof ServeOptError ? signal.reason.exitCode : EXIT.interrupted;
  if (report.verdict === 'fail') return EXIT.gate;
  const failed = report.configurations.find(({ error }) => error !== undefined)?.error;
  if (failed) return exitOf(failed.code);
  if (report.verdict === 'inconclusive' && !flags['allow-inconclusive']) return EXIT.inconclusive;
  return EXIT.done;
}

function exitOf(code: string): ExitCode {
  return code in ERROR_TABLE ? ERROR_TABLE[code as ErrorCode].exitCode : EXIT.failed;
}
