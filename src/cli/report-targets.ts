import { extname, resolve } from 'node:path';
import { checkTarget } from '../codec/atomic-file.js';
import { ServeOptError } from '../errors.js';
import { reportJson } from '../report/json.js';
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
    why: 'its ending tells the format: .html or .json',
    hint: 'write --report report.html',
  });
}

/**
 * Before any work is done: a report that cannot be written should not cost a run.
 * @param inputs files that are read, or written otherwise
 * @throws SO1002 for one path twice, SO1004 for a path that is read, SO6001 for a folder that cannot be written to
 */
export function checkReportTargets(
  targets: readonly ReportTarget<never>[],
  inputs: readonly (string | undefined)[],
): void {
  const seen = new Set<string>();
  for (const { flag, path } of targets) {
    const place = resolve(path);
    if (seen.has(place))
      throw new ServeOptError('SO1002', `Two reports are to be written to "${path}"`, { why: `${flag} is one` });
    seen.add(place);
    try {
      checkTarget(
        path,
        true,
        inputs.filter((input) => input !== undefined),
      );
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.code !== 'SO1004') throw error;
      throw new ServeOptError('SO1004', `The file "${path}" of ${flag} is one that is read`, {
        hint: `give ${flag} another path`,
        location: error.location,
      });
    }
  }
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
