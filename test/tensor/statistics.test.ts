import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/tensor/float16.js';
import { minMax, minMaxFloat16 } from '../../src/tensor/statistics.js';

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
