import { describe, expect, it } from 'vitest';
import type { Segment } from '../../src/bench/segment.js';
import { OpenLoopSegments } from '../../src/workflows/bench-server/open-loop-segments.js';

function part(startMs: number[], latencyMs: number[], wallMs: number, failures = 0): Segment {
  const service = Float64Array.from(latencyMs);
  return {
    startMs: Float64Array.from(startMs),
    latencyMs: service,
    serviceMs: service,
    wallMs,
    round: 0,
    stream: 0,
    failures,
  };
}

describe('OpenLoopSegments', () => {
  it('puts late responses where their requests were to start', () => {
    const segments = new OpenLoopSegments();
    segments.add(part([0, 10], [5, 6], 100));
    // 90 ended late; 100 and 130 are of the second window.
    segments.add(part([90, 100, 130], [70, 5, 6], 100, 2));
    segments.add(part([20, 195], [400, 300], 0, 1));
    expect(segments.segments()).toEqual([
      { ...part([0, 10, 20, 90], [5, 6, 400, 70], 100), round: 0 },
      { ...part([0, 30, 95], [5, 6, 300], 100, 3), round: 1 },
    ]);
  });

  it('keeps what is known of a window until something is added to it', () => {
    const segments = new OpenLoopSegments();
    segments.add(part([0, 10], [5, 6], 100));
    const [first] = segments.segments();
    segments.add(part([110], [7], 100));
    expect(segments.segments()[0]).toBe(first);
    segments.add(part([50], [300], 0));
    expect(segments.segments()[0]).toEqual({ ...part([0, 10, 50], [5, 6, 300], 100), round: 0 });
  });
});
