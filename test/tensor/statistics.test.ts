import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/tensor/float16.js';
import { createRandom } from '../../src/tensor/random.js';
import {
  median,
  medianOfPairedRatios,
  minMax,
  minMaxFloat16,
  quantileNearestRank,
} from '../../src/tensor/statistics.js';

const plainMinMax = (values: Iterable<number>) => {
  const all = [...values];
  const finite = all.filter(Number.isFinite);
  return {
    min: finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    max: finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    nonFinite: all.length - finite.length,
  };
};

describe('minMax', () => {
  it('agrees with the plain definition on any float32 values, NaN and infinities left out and counted', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 40 }), (values) => {
        expect(minMax(values)).toEqual(plainMinMax(values));
      }),
    );
  });

  it('agrees with the plain definition on any float64 values', () => {
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 40 }), (values) => {
        expect(minMax(values)).toEqual(plainMinMax(values));
      }),
    );
  });

  it('compares FLOAT16 bits as the numbers they stand for', () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 40 }), (bits) => {
        expect(minMaxFloat16(bits)).toEqual(plainMinMax([...bits].map(fromFloat16)));
      }),
    );
    expect(minMaxFloat16(Uint16Array.of(toFloat16(-1.5), toFloat16(0.25)))).toEqual({
      min: -1.5,
      max: 0.25,
      nonFinite: 0,
    });
  });
});

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

describe('medianOfPairedRatios', () => {
  it('finds a ratio under common noise, with an interval that holds it', () => {
    const random = createRandom(7);
    const baseline = Array.from({ length: 60 }, () => 10 * Math.exp(random.normal()));
    const candidate = baseline.map((ms) => ms * (0.8 + 0.02 * random.normal()));
    const { median: ratio, low, high, pairs } = medianOfPairedRatios(baseline, candidate);
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

  it('covers the true median in about 95 of 100 trials', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const random = createRandom(99, trial);
      const candidate = Array.from({ length: 30 }, () => 1 + 0.1 * random.normal());
      const { low, high } = medianOfPairedRatios(
        candidate.map(() => 1),
        candidate,
        { resamples: 500, seed: trial },
      );
      if (low <= 1 && high >= 1) covered++;
    }
    expect(covered).toBeGreaterThan(180);
  });
});

describe('createRandom', () => {
  it('gives the same numbers for the same seeds, others for others', () => {
    const take = (...seeds: number[]) => Array.from({ length: 4 }, createRandom(...seeds).uint32);
    expect(take(1, 2)).toEqual(take(1, 2));
    expect(take(1, 2)).not.toEqual(take(2, 1));
    expect(take(0)).not.toEqual(take(2 ** 32));
    expect(take(42)).toMatchInlineSnapshot(`
      [
        1874330980,
        2143255774,
        4055375598,
        4093523872,
      ]
    `);
  });

  it('is standard normal and uniform where it says so', () => {
    const random = createRandom(5);
    const normals = Array.from({ length: 20_000 }, random.normal);
    const mean = normals.reduce((a, b) => a + b) / normals.length;
    const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) {
      const k = random.integer(3);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(200);
  });
});
