import { ERROR_TABLE, type ErrorCode, EXIT, type ExitCode, ServeOptError } from '../../errors.js';
import type { BenchReport } from '../../report/bench-types.js';
import type { RunFiles } from '../../workflows/options.js';
import { benchArguments, benchOptions, serverOptions } from '../bench-options.js';
import { benchTargets, tellGitHub } from '../bench-outputs.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { benchSummary, renderBench } from '../render/bench-text.js';
import { checkReportTargets, knownFiles, writeReports } from '../report-targets.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt bench <model…>`, `serve-opt bench --url URL` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const { paths, dims } = benchArguments(args, flags);
  if (flags.engine !== undefined) return ofEngine(context, flags.engine, paths, dims, flags);
  const targets = benchTargets(flags);
  const measure =
    flags.url === undefined
      ? ofModels(context, paths, flags, dims, (files) => checkReportTargets(targets, files))
      : ofServer(context, paths, flags, dims);
  checkReportTargets(targets, knownFiles([...paths, flags.baseline, flags.data], flags.url === undefined));
  const report = await measure();
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const failure = await writeReports(targets, report);
  await tellGitHub(context, flags, report);
  return {
    report,
    text: () => renderBench(report, context),
    summary: benchSummary(report),
    annotated: true,
    failure,
    exitCode: exitCodeOf(report, flags, context.signal),
  };
}

/** `serve-opt bench --engine model.plan`: by trtexec. */
async function ofEngine(
  context: CommandContext,
  engine: string,
  paths: readonly string[],
  dims: readonly string[],
  flags: FlagValues,
): Promise<CommandResult> {
  const [path] = paths;
  if (path !== undefined) {
    throw new ServeOptError('SO1002', `The model "${path}" and --engine contradict each other`, {
      hint: 'measure one after the other',
    });
  }
  const { runBenchEngine } = await import('../bench-engine.js');
  return runBenchEngine(context, engine, dims, flags);
}

/** Flags are read before anything else is done. */
function ofModels(
  context: CommandContext,
  paths: readonly string[],
  flags: FlagValues,
  dims: readonly string[],
  onFiles: (files: RunFiles) => void,
): () => Promise<BenchReport> {
  const options = { ...benchOptions(flags, dims), onFiles };
  if (paths.length === 0) {
    throw new ServeOptError('SO1001', 'bench needs <model>: path of an ONNX model', {
      hint: 'serve-opt bench model.onnx, or --url for a running server',
    });
  }
  return async () =>
    (await import('../../workflows/bench/bench-models.js')).benchModels(paths, options, workflowContext(context));
}

function ofServer(
  context: CommandContext,
  paths: readonly string[],
  flags: FlagValues,
  dims: readonly string[],
): () => Promise<BenchReport> {
  const { url = '' } = flags;
  const [path] = paths;
  if (path !== undefined) {
    throw new ServeOptError('SO1002', `The model "${path}" and --url contradict each other`, {
      hint: 'measure one after the other',
    });
  }
  const options = serverOptions(flags, dims);
  return async () =>
    (await import('../../workflows/bench-server.js')).benchServer(url, options, workflowContext(context));
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
