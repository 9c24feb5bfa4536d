import { dirname, join } from 'node:path';
import type { RunFiles } from '../workflows/options.js';
import type { ProducedReport } from '../workflows/produce/model-command.js';
import type { CommandContext, CommandResult } from './command.js';
import type { FlagValues } from './flags.js';
import { withStdoutFile } from './model-to-stdout.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from './report-targets.js';

/** What a command that makes a model adds to what is the same for all of them. */
export interface ModelCommandParts<R extends ProducedReport> {
  /** The model, and samples that the flags name. */
  readonly reads: readonly (string | undefined)[];
  /** The page of `--report`; its code is loaded when it is needed. */
  html(report: R): Promise<string>;
  /** Does the work. @param outputPath the temporary file of `-o -`; undefined leaves it to the flags */
  work(files: { readonly onFiles: (files: RunFiles) => void; readonly outputPath?: string }): Promise<R>;
  /** @param outputPath where the model was written, as the user would type it; undefined when it was not */
  answer(report: R, outputPath: string | undefined): CommandResult;
}

/** Runs a command that makes a model: files of `--report`, a path of `-o` or stdout, dry runs. */
export async function runModelCommand<R extends ProducedReport>(
  context: CommandContext,
  flags: FlagValues,
  { reads, html, work, answer }: ModelCommandParts<R>,
): Promise<CommandResult> {
  const targets = reportTargets<R>(flags, html);
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles(reads, true));
  const toStdout = flags.output === '-';
  const report = toStdout
    ? await withStdoutFile(context, flags, (outputPath) => work({ onFiles, outputPath }))
    : await work({ onFiles });
  const failure = await writeReports(targets, report);
  const [path = ''] = reads;
  const written = toStdout || flags['dry-run'] ? undefined : (flags.output ?? join(dirname(path), report.output.name));
  return { ...answer(report, written), failure, ...(toStdout ? { stdoutTaken: true } : {}) };
}
