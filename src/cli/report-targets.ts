import { extname } from 'node:path';
import { checkOutputs } from '../codec/output-target.js';
import { ServeOptError } from '../errors.js';
import { reportJson } from '../report/json.js';
import type { RunFiles } from '../workflows/options.js';
import { writeTextFile } from '../workflows/write-report.js';
import type { FlagValues } from './flags.js';

/** A file that a flag asks for, and what makes its text. */
export interface ReportTarget<R> {
  readonly flag: string;
  readonly path: string;
  readonly make: (report: R) => string | Promise<string>;
}

/**
 * The files of `--report`. @param html makes the page; its code is loaded when it is needed
 * @throws SO1006 for an ending that is neither .html nor .json
 */
export function reportTargets<R extends object>(
  flags: FlagValues,
  html: (report: R) => Promise<string>,
): ReportTarget<R>[] {
  return (flags.report ?? []).map((path) => ({ flag: '--report', path, make: makerOf(path, html) }));
}

function makerOf<R extends object>(path: string, html: (report: R) => Promise<string>): ReportTarget<R>['make'] {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return reportJson;
  if (extension === '.html' || extension === '.htm') return html;
  throw new ServeOptError('SO1006', `The value "${path}" of --report is not allowed`, {
    why: 'the extension sets the format: .html or .json',
    hint: 'write --report report.html',
  });
}

/** Files that the arguments alone tell are read. @param moreToCome whether the workflow will know of more, and tell them */
export function knownFiles(paths: readonly (string | undefined)[], moreToCome: boolean): RunFiles {
  return { reads: paths.filter((path) => path !== undefined), writes: [], moreToCome };
}

/**
 * Before any work is done: a report that cannot be written should not cost a run, and one that is written must not take the
 * place of another file of the run.
 * @throws SO1002 for one file twice, SO1004 for one that is read, SO1005 for one that is no text, SO6001 for one that cannot be
 *   written
 */
export function checkReportTargets(
  targets: readonly ReportTarget<never>[],
  { reads, writes, moreToCome }: RunFiles,
): void {
  // A file that turns out to be read must be told as such, and not for what it holds: that is looked at last.
  const replaces = moreToCome ? 'any' : 'text';
  const reports = targets.map(({ flag, path }) => ({ name: flag, path, replaces }) as const);
  checkOutputs([...writes, ...reports], reads);
}

/**
 * Writes each report whole or not at all, over an earlier one. What was measured for it is not lost with one that cannot be
 * written: the first such error is given back, to be told after the answer.
 */
export async function writeReports<R>(
  targets: readonly ReportTarget<R>[],
  report: R,
): Promise<ServeOptError | undefined> {
  let failure: ServeOptError | undefined;
  for (const { path, make } of targets) {
    try {
      await writeTextFile(await make(report), path);
    } catch (error) {
      if (!(error instanceof ServeOptError)) throw error;
      failure ??= error;
    }
  }
  return failure;
}
