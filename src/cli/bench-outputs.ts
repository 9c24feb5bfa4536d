import { appendFileSync } from 'node:fs';
import { extname } from 'node:path';
import { checkTarget } from '../codec/atomic-file.js';
import { ServeOptError } from '../errors.js';
import type { BenchReport } from '../report/bench-types.js';
import { CI_FORMATS, ciDocumentPath } from '../report/ci/formats.js';
import { MARKDOWN_SUMMARY_BYTES, markdownReport } from '../report/ci/markdown.js';
import { reportJson } from '../report/json.js';
import { writeTextFile } from '../workflows/write-report.js';
import type { CommandContext } from './command.js';
import type { FlagValues } from './flags.js';
import { inGitHubActions } from './output.js';

/** A file that a flag asks for, and what makes its text. */
interface Target {
  readonly flag: string;
  readonly path: string;
  readonly make: (report: BenchReport) => string | Promise<string>;
}

function targetsOf(flags: FlagValues): Target[] {
  const reports = (flags.report ?? []).map((path): Target => ({ flag: '--report', path, make: reportMaker(path) }));
  const others = CI_FORMATS.flatMap(({ flag, make, documents }) => {
    const path = flags[flag];
    if (path === undefined) return [];
    return documents.map((infix, index): Target => {
      return { flag: `--${flag}`, path: ciDocumentPath(path, infix), make: (report) => make(report)[index] ?? '' };
    });
  });
  return [...reports, ...others];
}

function reportMaker(path: string): Target['make'] {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return reportJson;
  if (extension === '.html' || extension === '.htm') {
    return async (report) => (await import('../report/html/bench-html.js')).benchHtml(report);
  }
  throw new ServeOptError('SO1006', `The value "${path}" of --report is not allowed`, {
    why: 'its ending tells the format: .html or .json',
    hint: 'write --report report.html',
  });
}

/**
 * Before anything is measured: a report that cannot be written should not cost a run.
 * @throws SO1004 for a path that is read, SO1006 for an unknown format, SO6001 for a folder that cannot be written to
 */
export function checkReportTargets(flags: FlagValues, inputs: readonly string[]): void {
  const seen = new Set<string>();
  for (const { flag, path } of targetsOf(flags)) {
    if (seen.has(path))
      throw new ServeOptError('SO1002', `Two reports are to be written to "${path}"`, { why: `${flag} is one` });
    seen.add(path);
    checkTarget(path, true, inputs);
  }
}

/** Writes the reports that were asked for, each whole or not at all. @throws SO6001, SO6002 */
export async function writeReports(context: CommandContext, flags: FlagValues, report: BenchReport): Promise<void> {
  for (const { path, make } of targetsOf(flags)) await writeTextFile(await make(report), path);
  if (inGitHubActions(context) && !flags['no-github']) await tellGitHub(context, report);
}

/** The summary of the step, its outputs, and annotations for gates that are not met. */
async function tellGitHub(context: CommandContext, report: BenchReport): Promise<void> {
  const { randomUUID } = await import('node:crypto');
  const { githubAnnotations, githubOutputs } = await import('../report/ci/github.js');
  append(context, 'GITHUB_STEP_SUMMARY', markdownReport(report, MARKDOWN_SUMMARY_BYTES));
  append(context, 'GITHUB_OUTPUT', githubOutputs(report, randomUUID));
  context.stderr.write(githubAnnotations(report));
}

/** Appends to a file that the runner names. One that cannot be written is no reason to lose a measurement. */
function append({ env, progress }: CommandContext, name: string, text: string): void {
  const path = env[name];
  if (path === undefined || path === '' || text === '') return;
  try {
    appendFileSync(path, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    progress.handle({ kind: 'warning', message: `${name} could not be written: ${why}` });
  }
}
