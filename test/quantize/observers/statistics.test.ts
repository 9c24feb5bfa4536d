import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observed, observedRange } from '../../../src/quantize/observers/index.js';
import { OBSERVER_NAMES } from '../../../src/quantize/observers/observer-names.js';
import { TensorStatistics } from '../../../src/quantize/observers/tensor-statistics.js';
import { schemeOf, U8_ACTIVATIONS } from '../../../src/quantize/scheme.js';
import { BINS_PER_SIDE } from '../../../src/tensor/histogram-kernels.js';

const SCHEMES = [U8_ACTIVATIONS, schemeOf('s8', { symmetric: true }), schemeOf('u16')];

function statisticsOf(chunks: readonly Float32Array[]): TensorStatistics {
  const statistics = new TensorStatistics();
  for (const chunk of chunks) statistics.observe(chunk);
  return statistics;
}

/** Values of many magnitudes, zeros and tiny ones among them. */
const value = fc.oneof(
  fc.constantFrom(0, -0, 1e-40, -1e-45, 3.4e38, -1),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 }),
);

describe('statistics of a tensor', () => {
  it('are the same for any order of values, any split into chunks and any merge', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.array(fc.nat(), { minLength: 200, maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        (values, keys, size) => {
          const plain = statisticsOf([Float32Array.from(values)]).data();
          const order = values.map((_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
          const shuffled = Float32Array.from(order, (i) => values[i] as number);
          const chunks: Float32Array[] = [];
          for (let at = 0; at < shuffled.length; at += size) chunks.push(shuffled.slice(at, at + size));
          const split = statisticsOf(chunks).data();
          const merged = new TensorStatistics();
          for (const chunk of chunks.reverse()) merged.merge(statisticsOf([chunk]));
          for (const other of [split, merged.data()]) {
            expect(other.histogram).toEqual(plain.histogram);
            expect([other.min, other.max]).toEqual([plain.min, plain.max]);
          }
          expect(merged.data()).toEqual(split);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('give every observer the same range for any order of samples', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 20 }),
        (samples) => {
          const chunks = samples.map((sample) => Float32Array.from(sample));
          const forward = observed(statisticsOf(chunks).data());
          const backward = observed(statisticsOf(chunks.reverse()).data());
          for (const scheme of SCHEMES)
            for (const name of OBSERVER_NAMES)
              expect(observedRange(backward, name, scheme)).toEqual(observedRange(forward, name, scheme));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('count each value in the bin of its magnitude, however small the first ones were', () => {
    const chunks = [1e-4, 1e-3, 10, -10, 9.999].map((each) => Float32Array.of(each));
    const { histogram } = statisticsOf(chunks).data();
    expect(histogram.counts.length).toBeLessThanOrEqual(2 * BINS_PER_SIDE);
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(5);
    const width = 2 ** histogram.exponent;
    expect(histogram.counts.at(-1)).toBe(1);
    expect((histogram.first + histogram.counts.length) * width).toBeGreaterThan(10);
    expect(width).toBeLessThanOrEqual(10 / (BINS_PER_SIDE / 2));
  });

  it('count NaN and infinities apart, and take their range from the rest', () => {
    const statistics = statisticsOf([
      Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY),
      Float32Array.of(-2, Number.NEGATIVE_INFINITY, Number.NaN),
      Float32Array.of(Number.NaN),
    ]);
    const data = statistics.data();
    expect(data).toMatchObject({ min: -2, max: 1, nan: 3, infinite: 2, chunks: 2 });
    for (const name of OBSERVER_NAMES) {
      const range = observedRange(observed(data), name, U8_ACTIVATIONS);
      expect(Number.isFinite(range.min) && Number.isFinite(range.max)).toBe(true);
    }
  });

  it('stay inside what was seen, with constant tensors too', () => {
    for (const constant of [0, 3.5, -1e-30, 2e37]) {
      const seen = observed(statisticsOf([new Float32Array(64).fill(constant)]).data());
      for (const scheme of SCHEMES)
        for (const name of OBSERVER_NAMES) {
          const { min, max, expectedError } = observedRange(seen, name, scheme);
          expect(min).toBeGreaterThanOrEqual(Math.min(constant, 0) * 1.0000001);
          expect(max).toBeLessThanOrEqual(Math.max(constant, 0) * 1.0000001);
          expect(Number.isFinite(expectedError)).toBe(true);
        }
    }
  });

  it('know that the moving average is the mean of what samples reached', () => {
    const seen = observed(statisticsOf([Float32Array.of(-1, 4), Float32Array.of(-3, 2)]).data());
    expect(observedRange(seen, 'moving-average', U8_ACTIVATIONS)).toMatchObject({ min: -2, max: 3 });
  });
});
