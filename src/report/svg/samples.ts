import { quantileOfSorted } from '../../bench/quantiles.js';
import type { SegmentReport } from '../../bench/results.js';

/** Latencies that can be drawn: finite, not negative, sorted upwards. */
export function sortedLatencies(segments: readonly SegmentReport[]): Float64Array {
  let count = 0;
  for (const { latencyMs } of segments) count += latencyMs.length;
  const all = new Float64Array(count);
  let kept = 0;
  for (const { latencyMs } of segments) {
    for (const ms of latencyMs) if (isTime(ms)) all[kept++] = ms;
  }
  return all.subarray(0, kept).sort();
}

/** Whether a value is a time; JSON has null for what was not finite. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** The value at a rank from 0 to 1 of sorted ones; 0 without any. */
export function atRank(sorted: Float64Array, rank: number): number {
  return sorted.length === 0 ? 0 : quantileOfSorted(sorted, rank);
}
