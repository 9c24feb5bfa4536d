import { describe, expect, it } from 'vitest';
import { latest } from '../../src/bench/latest.js';
import type { Segment } from '../../src/bench/segment.js';

const segment = (round: number, runs: number): Segment => ({
  startMs: Float64Array.from({ length: runs }, (_, i) => 2 * i),
  latencyMs: Float64Array.from({ length: runs }, (_, i) => 10 * round + i),
  wallMs: 2 * runs,
  round,
  stream: 0,
  failures: 0,
});

describe('latest', () => {
  it('keeps what is few as it is', () => {
    const segments = [segment(0, 3), segment(1, 2)];
    expect(latest(segments, 5)).toEqual(segments);
    expect(latest([], 5)).toEqual([]);
  });

  it('cuts the oldest first, and counts time from where it cuts', () => {
    const [cut, whole, ...more] = latest([segment(0, 4), segment(1, 4), segment(2, 3)], 5);
    expect(more).toEqual([]);
    expect(whole).toEqual(segment(2, 3));
    expect(cut).toMatchObject({ round: 1, wallMs: 4 });
    expect([...(cut?.latencyMs ?? [])]).toEqual([12, 13]);
    expect([...(cut?.startMs ?? [])]).toEqual([0, 2]);
  });
});
