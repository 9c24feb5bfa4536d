import type { DistillReport } from '../report/distill-types.js';
import type { ModelReport } from '../report/model-report.js';
import type { FlagValues } from './flags.js';
import { type ReportTarget, reportTargets } from './report-targets.js';

/**
 * Files that the flags of a command which makes or compares models ask for.
 * @param html makes the page; its code is loaded when it is needed @throws SO1006 for a report of an unknown format
 */
export function modelTargets<R extends ModelReport | DistillReport>(
  flags: FlagValues,
  html: (report: R) => Promise<string>,
): ReportTarget<R>[] {
  const { junit, markdown } = flags;
  return [
    ...reportTargets<R>(flags, html),
    ...(junit === undefined ? [] : [{ flag: '--junit', path: junit, make: junitOf }]),
    ...(markdown === undefined ? [] : [{ flag: '--markdown', path: markdown, make: markdownOf }]),
  ];
}

async function junitOf(report: ModelReport | DistillReport): Promise<string> {
  const { junitXml } = await import('../report/ci/junit.js');
  return junitXml(report);
}

async function markdownOf(report: ModelReport | DistillReport): Promise<string> {
  const { markdownReport } = await import('../report/ci/markdown.js');
  return markdownReport(report);
}
