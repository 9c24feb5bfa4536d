import { dirname, join } from 'node:path';
import type { PruneReport } from '../report/prune-types.js';
import type { OptimizeReport, QuantizeReport } from '../report/types.js';
import type { RunFiles } from '../workflows/options.js';
import type { CommandContext, CommandResult } from './command.js';
import type { FlagValues } from './flags.js';
import { modelTargets } from './model-outputs.js';
import { withStdoutFile } from './model-to-stdout.js';
import { keptOrRefused } from './refused-result.js';
import { checkReportTargets, knownFiles, writeReports } from './report-targets.js';

/** What the work of such a command is handed. */
export interface ModelCommandRun<R> {
  readonly onFiles: (files: RunFiles) => void;
  readonly onRefused: (report: R) => void;
  /** The temporary file of `-o -`; absent where the flags say it. */
  readonly outputPath?: string;
  /** With it: nothing is put beside that file. */
  readonly alone?: true;
}

/** What a command that makes a model adds to what is the same for all of them. */
export interface ModelCommandParts<R extends QuantizeReport | OptimizeReport | PruneReport> {
  /** The model, and samples that the flags name. */
  readonly reads: readonly (string | undefined)[];
  /** The page of `--report`; its code is loaded when it is needed. */
  html(report: R): Promise<string>;
  /** Does the work. @throws SO7001, SO7002 for a result that is not delivered, once `onRefused` was told its report */
  work(run: ModelCommandRun<R>): Promise<R>;
  /** @param outputPath where the model was written, as the user would type it; undefined when it was not */
  answer(report: R, outputPath: string | undefined): CommandResult;
}

/** Runs a command that makes a model: files of `--report` and for CI, a path of `-o` or stdout, dry runs, results that miss a budget. */
export async function runModelCommand<R extends QuantizeReport | OptimizeReport | PruneReport>(
  context: CommandContext,
  flags: FlagValues,
  { reads, html, work, answer }: ModelCommandParts<R>,
): Promise<CommandResult> {
  const targets = modelTargets<R>(flags, html);
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles(reads, true));
  const toStdout = flags.output === '-';
  const { report, refused } = await keptOrRefused<R>((onRefused) =>
    toStdout
      ? withStdoutFile(context, flags, (outputPath) => work({ onFiles, onRefused, outputPath, alone: true }))
      : work({ onFiles, onRefused }),
  );
  const failure = (await writeReports(targets, report)) ?? refused;
  const [path = ''] = reads;
  const isWritten = !toStdout && !flags['dry-run'] && !refused;
  const inFolder = flags.output?.endsWith('/') ? `${flags.output}${report.output.name}` : flags.output;
  const written = isWritten ? (inFolder ?? join(dirname(path), report.output.name)) : undefined;
  return {
    ...answer(report, written),
    failure,
    ...(refused ? { exitCode: refused.exitCode } : {}),
    ...(toStdout ? { stdoutTaken: true } : {}),
  };
}
