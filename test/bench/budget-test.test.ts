import { describe, expect, it } from 'vitest';
import { leastRuns, PercentileBudgetTest } from '../../src/bench/budget-test.js';
import type { Segment } from '../../src/bench/segment.js';
import { createRandom } from '../../src/tensor/random.js';
import { segmentOf } from './sources.js';

/** Rounds of so many runs each; those whose number over all rounds is listed are over a limit of 10 ms. */
function roundsWith(rounds: number, runs: number, over: readonly number[], failures = 0): Segment[] {
  return Array.from({ length: rounds }, (_, round) =>
    segmentOf(
      Float64Array.from({ length: runs }, (_, i) => (over.includes(round * runs + i) ? 11 : 9)),
      round,
      failures,
    ),
  );
}

describe('PercentileBudgetTest', () => {
  it('passes p99 with the fewest runs that can tell, at the end', () => {
    expect(leastRuns(0.99, 0.95)).toBe(299);
    const test = () => new PercentileBudgetTest({ probability: 0.99, limitMs: 10 });
    expect(test().judge(roundsWith(5, 60, []), true)).toMatchObject({
      verdict: 'pass',
      over: 0,
      runs: 300,
      effectiveRuns: 300,
      why: '0 of 300 runs over; at most 0.99 % with 95 % confidence, 1 % allowed',
    });
    expect(test().judge(roundsWith(5, 59, []), true)).toMatchObject({
      verdict: 'inconclusive',
      why: '0 of 295 runs over; needs 299 runs',
    });
    expect(test().judge(roundsWith(5, 59, []), false).verdict).toBeUndefined();
  });

  it('needs more for a pass before the end, as it may look again', () => {
    const test = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 });
    expect(test.judge(roundsWith(5, 147, []), false).verdict).toBeUndefined();
    expect(test.judge(roundsWith(6, 123, []), false).verdict).toBe('pass');
  });

  it('fails an obvious one after few runs, and not before five processes', () => {
    const test = new PercentileBudgetTest({ probability: 0.99, limitMs: 8 });
    expect(test.judge(roundsWith(4, 5, []), false).verdict).toBeUndefined();
    expect(test.judge(roundsWith(5, 5, []), false)).toMatchObject({ verdict: 'fail', over: 25, runs: 25 });
    const server = new PercentileBudgetTest({ probability: 0.99, limitMs: 8, minRounds: 1 });
    expect(server.judge(roundsWith(1, 20, []), false).verdict).toBe('fail');
  });

  it('says which processes are missing at the end', () => {
    const test = new PercentileBudgetTest({ probability: 0.9, limitMs: 10 });
    expect(test.judge(roundsWith(2, 100, []), true)).toMatchObject({
      verdict: 'inconclusive',
      why: '0 of 200 runs over; needs 5 processes, had 2',
    });
  });

  it('counts failed requests as over', () => {
    const test = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 });
    expect(test.judge(roundsWith(5, 100, [], 8), true)).toMatchObject({ verdict: 'fail', over: 40, runs: 540 });
  });

  it('gives no verdict between planned looks, however often it is asked', () => {
    const test = new PercentileBudgetTest({ probability: 0.5, limitMs: 10 });
    // 12 over of 20 are too few to fail; 17 of 21 would be enough, but the next look is at 40.
    const first = roundsWith(5, 4, [0, 1, 2, 4, 5, 6, 8, 9, 12, 13, 16, 17]);
    expect(test.judge(first, false).verdict).toBeUndefined();
    const more = [...first, segmentOf(Float64Array.of(11, 11, 11, 11, 11, 11, 11, 11, 11, 11), 5)];
    for (let i = 0; i < 3; i++) expect(test.judge(more, false).verdict).toBeUndefined();
  });

  it('keeps a verdict that was taken, whatever comes later', () => {
    const test = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 });
    const taken = test.judge(roundsWith(6, 130, []), false);
    expect(taken.verdict).toBe('pass');
    const worse = [...roundsWith(6, 130, []), segmentOf(new Float64Array(200).fill(11), 6)];
    expect(test.judge(worse, true)).toEqual(taken);
  });

  it('takes bursts for the fewer independent runs that they are', () => {
    // 20 bursts of 10 runs in 20,000: 1 %, but as good as 20 of 2,000.
    const random = createRandom(5);
    const over = Array.from({ length: 20 }, () => random.integer(1990) * 10).flatMap((at) =>
      Array.from({ length: 10 }, (_, i) => at + i),
    );
    const segments = roundsWith(10, 2000, over);
    const { effectiveRuns, verdict, why } = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 }).judge(
      segments,
      true,
    );
    expect(verdict).toBe('inconclusive');
    expect(effectiveRuns).toBeLessThan(3500);
    expect(effectiveRuns).toBeGreaterThan(500);
    expect(why).toContain('in bursts');
  });

  it('does not take processes that differ for many independent runs', () => {
    // One process of five over in a tenth of its runs: 2 % in all, of 10,000 runs.
    const segments = roundsWith(
      5,
      2000,
      Array.from({ length: 200 }, (_, i) => i * 10),
    );
    const { verdict, effectiveRuns } = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 }).judge(
      segments,
      true,
    );
    expect(verdict).toBe('inconclusive');
    expect(effectiveRuns).toBeLessThan(200);
  });

  it('answers for nothing at all', () => {
    const test = new PercentileBudgetTest({ probability: 0.99, limitMs: 10 });
    expect(test.judge([], false)).toMatchObject({ verdict: undefined, runs: 0, lower: 0, upper: 1 });
    expect(test.judge([], true)).toMatchObject({ verdict: 'inconclusive', why: '0 of 0 runs over; needs 299 runs' });
  });
});
