import { describe, expect, it } from 'vitest';
import { arrivalTimes } from '../../src/bench/arrivals.js';
import { createRandom } from '../../src/tensor/random.js';

const take = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

describe('arrivalTimes', () => {
  it('is a grid for a constant rate, without rounding that adds up', () => {
    expect(take(4, arrivalTimes(100, 'constant', createRandom(1)))).toEqual([0, 10, 20, 30]);
    expect(take(3001, arrivalTimes(3, 'constant', createRandom(1)))[3000]).toBeCloseTo(1_000_000, 6);
  });

  it('has exponential gaps for Poisson: mean and standard deviation are alike', () => {
    const times = take(20_000, arrivalTimes(50, 'poisson', createRandom(1)));
    const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
    const mean = (times.at(-1) ?? 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean / 20).toBeCloseTo(1, 1);
    expect(deviation / 20).toBeCloseTo(1, 1);
    // Independent: counts in windows vary as much as their mean.
    expect(gaps.filter((gap) => gap > 20).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  });

  it('is the same for the same seed', () => {
    const of = (seed: number) => take(5, arrivalTimes(10, 'poisson', createRandom(seed)));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});
