import { describe, expect, it } from 'vitest';
import { median, quantileNearestRank } from '../../src/bench/quantiles.js';

describe('quantileNearestRank', () => {
  it('gives the element of rank ceil(p n), the last one for p = 1', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantileNearestRank(samples, 0.5)).toBe(50);
    expect(quantileNearestRank(samples, 0.07)).toBe(7);
    expect(quantileNearestRank(samples, 0.9)).toBe(90);
    expect(quantileNearestRank(samples, 0.901)).toBe(91);
    expect(quantileNearestRank(samples, 1)).toBe(100);
    expect(quantileNearestRank(samples, 0)).toBe(1);
    expect(quantileNearestRank([], 0.5)).toBeNaN();
  });

  it('differs from the median, which averages the middle two', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([])).toBeNaN();
  });
});
