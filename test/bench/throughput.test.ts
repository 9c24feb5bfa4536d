import { describe, expect, it } from 'vitest';
import type { Segment } from '../../src/bench/segment.js';
import { summarizeThroughput } from '../../src/bench/throughput.js';
import { ThroughputBudgetTest } from '../../src/bench/throughput-budget.js';
import { createRandom } from '../../src/tensor/random.js';
import { segmentOf } from './sources.js';

const SINGLE = { kind: 'single-stream' } as const;

function rounds(count: number, runs: number, medianMs: (round: number) => number, seed = 1): Segment[] {
  return Array.from({ length: count }, (_, round) => {
    const random = createRandom(seed, round);
    return segmentOf(
      Float64Array.from({ length: runs }, () => medianMs(round) * Math.exp(0.2 * random.normal() - 0.02)),
      round,
    );
  });
}

describe('summarizeThroughput', () => {
  it('is what was completed over the time that passed, in samples', () => {
    const steady = [0, 1, 2].map((round) => segmentOf(new Float64Array(100).fill(4), round));
    const { value, low = 0, high = 0 } = summarizeThroughput(steady, 8, SINGLE);
    for (const rate of [value, low, high]) expect(rate).toBeCloseTo(2000, 6);
  });

  it('counts time between requests', () => {
    const segment = { ...segmentOf(new Float64Array(100).fill(4), 0), wallMs: 500 };
    expect(summarizeThroughput([segment], 1, SINGLE).value).toBeCloseTo(200, 9);
  });

  it('adds up the streams of a round, and averages rounds by time', () => {
    const streams = [0, 1].flatMap((round) =>
      [0, 1, 2].map((stream) => ({ ...segmentOf(new Float64Array(50).fill(10), round), stream })),
    );
    expect(summarizeThroughput(streams, 1, { kind: 'multi-stream', streams: 3 }).value).toBeCloseTo(300, 9);
    const uneven = [segmentOf(new Float64Array(300).fill(1), 0), segmentOf(new Float64Array(100).fill(9), 1)];
    expect(summarizeThroughput(uneven, 1, SINGLE).value).toBeCloseTo((400 / 1200) * 1000, 9);
  });

  it('takes failed requests for not completed', () => {
    const segment = { ...segmentOf(new Float64Array(50).fill(10), 0, 50), wallMs: 1000 };
    expect(summarizeThroughput([segment], 1, SINGLE).value).toBeCloseTo(50, 9);
  });

  it('is the rate of answers in an open loop', () => {
    const startMs = Float64Array.from({ length: 1000 }, (_, i) => i * 10);
    const open: Segment = { ...segmentOf(new Float64Array(1000).fill(3), 0), startMs, wallMs: 9993 };
    const scenario = { kind: 'server', ratePerSecond: 100, arrivals: 'constant' } as const;
    const { value, low = 0, high = 0 } = summarizeThroughput([open], 1, scenario);
    expect(value).toBeCloseTo(100, 0);
    expect(high - low).toBeLessThan(1);
  });

  it('has no interval where there is nothing to take it from', () => {
    expect(summarizeThroughput([], 1, SINGLE)).toEqual({ value: 0 });
    expect(summarizeThroughput([segmentOf(Float64Array.of(10), 0)], 1, SINGLE)).toEqual({ value: 100 });
  });

  it('holds the truth in about 95 % of trials although processes differ', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const random = createRandom(11, trial);
      const placement = Float64Array.from({ length: 6 }, () => (random.integer(2) === 0 ? 9.5 : 10.5));
      const segments = rounds(6, 100, (round) => placement[round] as number, trial);
      const { low = 0, high = 0 } = summarizeThroughput(segments, 1, SINGLE, { seed: trial, resamples: 200 });
      if (low <= 100.2 && high >= 100) covered++;
    }
    expect(covered).toBeGreaterThan(180);
  });

  it('gives the same for the same seed', () => {
    const segments = rounds(3, 50, () => 5);
    expect(summarizeThroughput(segments, 1, SINGLE)).toEqual(summarizeThroughput(segments, 1, SINGLE));
  });
});

describe('ThroughputBudgetTest', () => {
  const test = (limitPerSecond: number, minRounds = 5): ThroughputBudgetTest =>
    new ThroughputBudgetTest({ limitPerSecond, scenario: SINGLE, minRounds });

  it('wants the whole interval on one side', () => {
    const segments = rounds(5, 200, () => 10);
    expect(test(90).judge(segments, 1, false)).toMatchObject({
      verdict: 'pass',
      why: expect.stringMatching(/^at least 9\d\.\d+\/s with 95 % confidence$/),
    });
    expect(test(110).judge(segments, 1, false)).toMatchObject({
      verdict: 'fail',
      why: expect.stringMatching(/^at most 10\d\.?\d*\/s with 95 % confidence$/),
    });
    expect(test(100).judge(segments, 1, false).verdict).toBeUndefined();
    expect(test(100).judge(segments, 1, true)).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringMatching(/^between .* and .*\/s with 95 % confidence$/),
    });
  });

  it('waits for five processes, of a server for fifty requests', () => {
    const segments = rounds(4, 200, () => 10);
    expect(test(50).judge(segments, 1, false).verdict).toBeUndefined();
    expect(test(50).judge(segments, 1, true)).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringContaining('needs 5 processes, had 4'),
    });
    const few = rounds(1, 49, () => 10);
    expect(test(50, 1).judge(few, 1, false).verdict).toBeUndefined();
    const enough = rounds(1, 50, () => 10);
    expect(test(50, 1).judge(enough, 1, false).verdict).toBe('pass');
  });

  it('takes the samples of a request as they are known by then, and keeps a verdict', () => {
    const budget = test(900, 1);
    // Before the first answer of a model that writes tokens nobody knows how many a request has.
    expect(budget.judge([], 0, false).verdict).toBeUndefined();
    const segments = rounds(1, 200, () => 10);
    expect(budget.judge(segments, 10, false).verdict).toBe('pass');
    expect(budget.judge(segments, 1, true).verdict).toBe('pass');
  });

  it('answers for nothing at all', () => {
    expect(test(50).judge([], 1, true).verdict).toBe('inconclusive');
  });
});
