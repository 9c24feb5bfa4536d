import { median } from '../../bench/quantiles.js';
import type { ColdStart, ColdStartReport } from '../../report/bench-types.js';

/** The starts, and the median of each part. */
export function coldStartReport(starts: readonly ColdStart[]): ColdStartReport {
  const of = (part: keyof ColdStart): number => median(starts.map((start) => start[part]));
  return {
    starts,
    median: {
      processMs: of('processMs'),
      libraryMs: of('libraryMs'),
      sessionMs: of('sessionMs'),
      firstRunMs: of('firstRunMs'),
      totalMs: of('totalMs'),
    },
  };
}
