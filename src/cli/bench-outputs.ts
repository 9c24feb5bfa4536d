import { appendFileSync } from 'node:fs';
import { extname } from 'node:path';
import { checkTarget } from '../codec/atomic-file.js';
import { ServeOptError } from '../errors.js';
import type { BenchReport } from '../report/bench-types.js';
import { CI_FORMATS, type CiFormat } from '../report/ci/formats.js';
import { writeReport, writeTextFile } from '../workflows/write-report.js';
import type { CommandContext } from './command.js';
import type { FlagValues } from './flags.js';
import { inGitHubActions } from './output.js';

/** Files that flags ask for, with what makes their text. */
function targets(flags: FlagValues): { readonly flag: string; readonly path: string; readonly format: CiFormat | 'json' | 'html' }[] {
  const reports = (flags.report ?? []).map((path) => ({ flag: '--report', path, format: reportFormat(path) }));
  const others = CI_FORMATS.flatMap((format) => {
    const path = flags[format.flag];
    return path === undefined ? [] : [{ flag: `--${format.flag}`, path, format }];
  });
  return [...reports, ...others];
}

function reportFormat(path: string): 'json' | 'html' {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return 'json';
  if (extension === '.html' || extension === '.htm') return 'html';
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
  for (const { flag, path } of targets(flags)) {
    if (seen.has(path)) throw new ServeOptError('SO1002', `Two reports are to be written to "${path}"`, { why: `${flag} is one` });
    seen.add(path);
    checkTarget(path, true, inputs);
  }
}

/** Writes the reports that were asked for, each whole or not at all. @throws SO6001, SO6002 */
export async function writeReports(context: CommandContext, flags: FlagValues, report: BenchReport): Promise<void> {
  for (const { path, format } of targets(flags)) {
    if (format === 'json') await writeReport(report, path);
    else if (format === 'html') {
      const { benchHtml } = await import('../report/html/bench-html.js');
      await writeTextFile(benchHtml(report), path);
    } else await writeTextFile(format.make(report), path);
  }
  if (inGitHubActions(context) && !flags['no-github']) await tellGitHub(context, report);
}

/** The summary of the step, its outputs, and annotations for gates that are not met. */
async function tellGitHub(context: CommandContext, report: BenchReport): Promise<void> {
  const { randomUUID } = await import('node:crypto');
  const { githubAnnotations, githubOutputs } = await import('../report/ci/github.js');
  const { stepSummary } = await import('../report/ci/markdown.js');
  append(context, 'GITHUB_STEP_SUMMARY', stepSummary(report));
  append(context, 'GITHUB_OUTPUT', githubOutputs(report, randomUUID));
  const lines = githubAnnotations(report);
  if (lines.length > 0) context.stderr.write(`${lines.join('\n')}\n`);
}

/** Appends to a file that the runner names. A runner without one, or with a full disk, is no reason to lose a measurement. */
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
