import { appendFileSync } from 'node:fs';
import type { BenchReport } from '../report/bench-types.js';
import { CI_FORMATS, ciDocumentPath } from '../report/ci/formats.js';
import { MARKDOWN_SUMMARY_BYTES, markdownReport } from '../report/ci/markdown.js';
import type { CommandContext } from './command.js';
import type { FlagValues } from './flags.js';
import { inGitHubActions } from './output.js';
import { type ReportTarget, reportTargets } from './report-targets.js';

/** Files that the flags of `bench` ask for. @throws SO1006 for a report of an unknown format */
export function benchTargets(flags: FlagValues): ReportTarget<BenchReport>[] {
  const reports = reportTargets<BenchReport>(flags, async (report) => {
    const { benchHtml } = await import('../report/html/bench-html.js');
    return benchHtml(report);
  });
  const others = CI_FORMATS.flatMap(({ flag, make, documents }) => {
    const path = flags[flag];
    if (path === undefined) return [];
    return documents.map((infix, index): ReportTarget<BenchReport> => {
      return { flag: `--${flag}`, path: ciDocumentPath(path, infix), make: (report) => make(report)[index] ?? '' };
    });
  });
  return [...reports, ...others];
}

/** In GitHub Actions: the summary of the step, its outputs, and annotations for gates that are not met. */
export async function tellGitHub(context: CommandContext, flags: FlagValues, report: BenchReport): Promise<void> {
  if (!inGitHubActions(context) || flags['no-github']) return;
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
