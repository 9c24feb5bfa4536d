import { describe, expect, it } from 'vitest';
import { medianOfPairedRatios } from '../../src/bench/paired-ratio.js';
import { createRandom } from '../../src/tensor/random.js';

describe('medianOfPairedRatios', () => {
  it('finds a ratio under common noise, with an interval that holds it', () => {
    const random = createRandom(7);
    const baseline = Array.from({ length: 60 }, () => 10 * Math.exp(random.normal()));
    const candidate = baseline.map((ms) => ms * (0.8 + 0.02 * random.normal()));
    const { median: ratio, low = Number.NaN, high = Number.NaN, pairs } = medianOfPairedRatios(baseline, candidate);
    expect(pairs).toBe(60);
    expect(ratio).toBeCloseTo(0.8, 1);
    expect(low).toBeLessThan(ratio);
    expect(high).toBeGreaterThan(ratio);
    expect(high - low).toBeLessThan(0.03);
  });

  it('gives the same interval for the same seed', () => {
    const times = [1, 2, 3, 4, 5, 6];
    const other = [2, 1, 4, 3, 6, 5];
    expect(medianOfPairedRatios(times, other, { seed: 3 })).toEqual(medianOfPairedRatios(times, other, { seed: 3 }));
  });

  it('has no interval where the pairs are too few for one', () => {
    const times = [1, 1, 1, 1, 1, 1];
    const other = [4.57, 4.5, 4.6, 4.57, 4.6, 4.5];
    for (const count of [1, 2, 5]) {
      const few = medianOfPairedRatios(times.slice(0, count), other.slice(0, count));
      expect(few).toEqual({ median: expect.any(Number), pairs: count });
    }
    expect(medianOfPairedRatios(times, other)).toMatchObject({ low: 4.5, high: 4.6, pairs: 6 });
    expect(medianOfPairedRatios(times.slice(0, 5), other.slice(0, 5), { confidence: 0.9 }).low).toBe(4.5);
  });

  it('covers the true median in about 95 of 100 trials', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const random = createRandom(99, trial);
      const candidate = Array.from({ length: 30 }, () => 1 + 0.1 * random.normal());
      const { low = Number.NaN, high = Number.NaN } = medianOfPairedRatios(
        candidate.map(() => 1),
        candidate,
        { resamples: 500, seed: trial },
      );
      if (low <= 1 && high >= 1) covered++;
    }
    expect(covered).toBeGreaterThan(180);
  });
});
