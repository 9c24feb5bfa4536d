import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf } from '../../src/prune/count-of.js';
import { followsPattern, magnitudeMasks, patternMask } from '../../src/prune/weight-masks.js';
import { Tensor } from '../../src/tensor/tensor.js';

const flags = (mask: { readonly zero: Uint8Array } | undefined): number[] => [...(mask?.zero ?? [])];

describe('countOf', () => {
  it('rounds halves to the even number, as Python does', () => {
    expect(countOf(0.25, 10)).toBe(2);
    expect(countOf(0.35, 10)).toBe(4);
  });

  it('reads numbers from 1 on as counts and never takes all', () => {
    expect(countOf(3, 10)).toBe(3);
    expect(countOf(12, 10)).toBe(9);
    expect(countOf(0.99, 4)).toBe(3);
  });
});

describe('magnitudeMasks', () => {
  it('takes the smallest magnitudes, and of equal ones the first', () => {
    const [mask] = magnitudeMasks([Tensor.float32([3, -1, 0.5, 1, -2, 1])], 0.5, false);
    expect(flags(mask)).toEqual([0, 1, 1, 1, 0, 0]);
    expect(mask?.zeros).toBe(3);
  });

  it('takes the smallest of all weights together', () => {
    const masks = magnitudeMasks([Tensor.float32([10, 20]), Tensor.float32([1, 2, 30])], 0.4, true);
    expect(masks.map(flags)).toEqual([
      [0, 0],
      [1, 1, 0],
    ]);
  });

  it('agrees with a sort on any values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { minLength: 2, maxLength: 60 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (values, amount) => {
          const [mask] = magnitudeMasks([Tensor.float32(values)], amount, false);
          const order = [...values.keys()].sort((a, b) => {
            const [x, y] = [Math.abs(Math.fround(values[a] as number)), Math.abs(Math.fround(values[b] as number))];
            return x === y ? a - b : x - y;
          });
          const gone = new Set(order.slice(0, countOf(amount, values.length)));
          expect(flags(mask)).toEqual(values.map((_, at) => (gone.has(at) ? 1 : 0)));
        },
      ),
    );
  });
});

describe('patternMask', () => {
  it('keeps the two largest of every four inputs of an output', () => {
    const tensor = Tensor.float32([1, -4, 2, 3, 8, 8, 8, 0], [2, 4]);
    expect(flags(patternMask(tensor, 1, { kept: 2, of: 4 }))).toEqual([1, 0, 1, 0, 0, 0, 1, 1]);
  });

  it('counts along the axis of the inputs', () => {
    const columns = Tensor.float32([1, 5, 2, 6, 3, 7, 4, 8], [4, 2]);
    const mask = patternMask(columns, 0, { kept: 2, of: 4 });
    expect(flags(mask)).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    const result = Tensor.float32([0, 0, 0, 0, 3, 7, 4, 8], [4, 2]);
    expect(followsPattern(result, 0, { kept: 2, of: 4 })).toBe(true);
    expect(followsPattern(columns, 0, { kept: 2, of: 4 })).toBe(false);
  });
});
