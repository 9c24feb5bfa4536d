import type { Segment } from './segment.js';

/** The last `most` requests of all, in segments as they were measured; all of them where there are no more. */
export function latest(segments: readonly Segment[], most: number): readonly Segment[] {
  const kept: Segment[] = [];
  let left = most;
  for (const segment of segments.toReversed()) {
    if (left <= 0) break;
    const { length } = segment.latencyMs;
    kept.push(length <= left ? segment : tail(segment, length - left));
    left -= length;
  }
  return kept.reverse();
}

/** A segment from one request on. */
function tail({ startMs, latencyMs, serviceMs, wallMs, ...rest }: Segment, from: number): Segment {
  const begunMs = startMs[from] ?? 0;
  return {
    ...rest,
    startMs: startMs.subarray(from).map((ms) => ms - begunMs),
    latencyMs: latencyMs.subarray(from),
    ...(serviceMs ? { serviceMs: serviceMs.subarray(from) } : {}),
    wallMs: Math.max(0, wallMs - begunMs),
  };
}
