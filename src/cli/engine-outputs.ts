import type { TensorRtReport } from '../report/tensorrt-types.js';
import type { FlagValues } from './flags.js';
import { type ReportTarget, reportTargets } from './report-targets.js';

/** Files that the flags of `tensorrt` and `bench --engine` ask for. @throws SO1006 for a report of an unknown format */
export function engineTargets(flags: FlagValues): ReportTarget<TensorRtReport>[] {
  const { junit, markdown } = flags;
  return [
    ...reportTargets<TensorRtReport>(flags, async (report) => {
      const { tensorRtHtml } = await import('../report/html/tensorrt-html.js');
      return tensorRtHtml(report);
    }),
    ...(junit === undefined ? [] : [{ flag: '--junit', path: junit, make: junitOf }]),
    ...(markdown === undefined ? [] : [{ flag: '--markdown', path: markdown, make: markdownOf }]),
  ];
}

async function junitOf(report: TensorRtReport): Promise<string> {
  const { engineJunit } = await import('../report/ci/engine-formats.js');
  return engineJunit(report);
}

async function markdownOf(report: TensorRtReport): Promise<string> {
  const { engineMarkdown } = await import('../report/ci/engine-formats.js');
  return engineMarkdown(report);
}
