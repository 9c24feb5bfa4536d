import type { Segment } from '../../bench/segment.js';
import type { SegmentReport } from '../../report/bench-types.js';

/** Requests that a report keeps of all segments together. */
const MOST_KEPT = 20_000;

/** Segments for a report: thinned evenly where there are very many requests, rounded to tenths of a microsecond. */
export function segmentReports(segments: readonly Segment[]): SegmentReport[] {
  const total = segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
  const every = Math.max(1, Math.ceil(total / MOST_KEPT));
  const thin = (values: Float64Array): number[] => {
    const kept: number[] = [];
    for (let at = 0; at < values.length; at += every) kept.push(Math.round((values[at] as number) * 1e4) / 1e4);
    return kept;
  };
  return segments.map(({ round, stream, startMs, latencyMs }) => ({
    round,
    stream,
    every,
    startMs: thin(startMs),
    latencyMs: thin(latencyMs),
  }));
}
