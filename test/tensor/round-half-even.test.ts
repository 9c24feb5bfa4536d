import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundHalfEven } from '../../src/tensor/round-half-even.js';

describe('roundHalfEven', () => {
  it('rounds halves to the even neighbour', () => {
    const values = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6, 127.5];
    expect(values.map(roundHalfEven).map((v) => v + 0)).toEqual([-2, -2, 0, 0, 2, 2, 2, 3, 128]);
  });

  it('is exact just below a half, and leaves what is no finite number', () => {
    expect(roundHalfEven(0.49999999999999994)).toBe(0);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(roundHalfEven)).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  it('is never further than half, and even where it is half', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -(2 ** 53), max: 2 ** 53 }), (value) => {
        const rounded = roundHalfEven(value);
        expect(Number.isInteger(rounded)).toBe(true);
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.5);
        if (Math.abs(rounded - value) === 0.5) expect(rounded % 2).toBe(rounded < 0 ? -0 : 0);
      }),
    );
  });
});
