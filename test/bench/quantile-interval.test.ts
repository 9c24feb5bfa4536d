import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantileRanks, quantileReports } from '../../src/bench/quantile-interval.js';
import { createRandom } from '../../src/tensor/random.js';

const upTo = (n: number): Float64Array => Float64Array.from({ length: n }, (_, i) => i + 1);

describe('quantileReports', () => {
  it.each([
    [500, 490, 500],
    [1000, 983, 997],
    [2000, 1971, 1989],
    [5000, 4936, 4964],
    [10_000, 9880, 9920],
  ])('has the known ranks of p99 of %d', (runs, low, high) => {
    expect(quantileRanks(runs, 0.99)).toEqual({ low, high });
    expect(quantileReports(upTo(runs), [0.99])).toEqual([
      { probability: 0.99, ms: Math.ceil(0.99 * runs), lowMs: low, highMs: high },
    ]);
  });

  it('shows no quantile that would be the maximum by another name', () => {
    expect(quantileReports(upTo(298), [0.99])).toEqual([{ probability: 0.99, why: 'needs 299 runs' }]);
    expect(quantileReports(upTo(300), [0.99])).toEqual([
      { probability: 0.99, ms: 297, lowMs: 293, why: 'an upper bound needs 368 runs' },
    ]);
    expect(quantileReports(upTo(368), [0.99])[0]).toMatchObject({ highMs: 368 });
    expect(quantileReports(upTo(2994), [0.999])).toEqual([{ probability: 0.999, why: 'needs 2,995 runs' }]);
    expect(quantileReports(upTo(28), [0.9, 0.95])).toEqual([
      { probability: 0.9, why: 'needs 29 runs' },
      { probability: 0.95, why: 'needs 59 runs' },
    ]);
  });

  it('shows a median from the first run on, with an interval from the sixth', () => {
    expect(quantileReports(upTo(0), [0.5])).toEqual([{ probability: 0.5, why: 'needs 1 run' }]);
    expect(quantileReports(upTo(1), [0.5])).toEqual([{ probability: 0.5, ms: 1, why: 'an interval needs 6 runs' }]);
    expect(quantileReports(upTo(5), [0.5])).toEqual([{ probability: 0.5, ms: 3, why: 'an interval needs 6 runs' }]);
    expect(quantileReports(upTo(6), [0.5])).toEqual([{ probability: 0.5, ms: 3, lowMs: 1, highMs: 6 }]);
  });

  it('holds its quantile between its ends, and widens for runs that depend on each other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.999),
        fc.double({ min: 1, max: 30, noNaN: true }),
        (runs, probability, effect) => {
          const [plain] = quantileReports(upTo(runs), [probability]);
          const [wide] = quantileReports(upTo(runs), [probability], 0.95, () => effect);
          expect(plain?.lowMs ?? 1).toBeLessThanOrEqual(plain?.ms ?? 1);
          expect(plain?.highMs ?? runs).toBeGreaterThanOrEqual(plain?.ms ?? 1);
          expect(wide?.lowMs ?? 1).toBeLessThanOrEqual(plain?.lowMs ?? 1);
          expect(wide?.highMs ?? runs).toBeGreaterThanOrEqual(plain?.highMs ?? runs);
        },
      ),
    );
  });

  it('holds the true quantile in at least 95 % of trials, whatever the distribution', () => {
    for (const [probability, runs] of [
      [0.5, 40],
      [0.9, 120],
      [0.99, 600],
    ] as const) {
      let covered = 0;
      for (let trial = 0; trial < 1000; trial++) {
        const random = createRandom(7, trial);
        const samples = Float64Array.from({ length: runs }, () => random.float()).sort();
        const [report] = quantileReports(samples, [probability]);
        const { lowMs = 0, highMs = 1 } = report ?? {};
        if (lowMs <= probability && highMs >= probability) covered++;
      }
      // 95 % less three standard errors of 1,000 trials.
      expect(covered).toBeGreaterThan(930);
    }
  });
});
