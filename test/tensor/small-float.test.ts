import { describe, expect, it } from 'vitest';
import { DataType, dataTypeName } from '../../src/tensor/dtype.js';
import { encodeFloat8E4M3, encodeSmallFloats, exponentCode, smallFloatValues } from '../../src/tensor/small-float.js';

const TYPES = [
  { type: DataType.FLOAT8E4M3FN, largest: 448, smallest: 2 ** -9 },
  { type: DataType.FLOAT8E4M3FNUZ, largest: 240, smallest: 2 ** -10 },
  { type: DataType.FLOAT8E5M2, largest: 57344, smallest: 2 ** -16 },
  { type: DataType.FLOAT8E5M2FNUZ, largest: 57344, smallest: 2 ** -17 },
  { type: DataType.FLOAT4E2M1, largest: 6, smallest: 0.5 },
].map((row) => ({ ...row, name: dataTypeName(row.type) }));

function encode(type: number, values: Float32Array, saturate = true): Uint8Array {
  const target = new Uint8Array(values.length);
  encodeSmallFloats(type, values, target, saturate);
  return target;
}

describe.each(TYPES)('$name', ({ type, largest, smallest }) => {
  const values = smallFloatValues(type) as Float64Array;

  it('has the range that the specification gives', () => {
    const finite = values.filter((value) => Number.isFinite(value) && value > 0);
    expect(Math.max(...finite)).toBe(largest);
    expect(Math.min(...finite)).toBe(smallest);
  });

  it('gives every code back', () => {
    const codes = encode(type, Float32Array.from(values), false);
    const lost = codes.findIndex((code, at) => code !== at && !Number.isNaN(values[at]));
    expect(lost).toBe(-1);
  });

  it('rounds to the nearest, halves to the even code', () => {
    const finite = values
      .filter((value) => Number.isFinite(value) && value >= 0)
      .map(Math.abs)
      .sort();
    for (let at = 0; at + 1 < finite.length; at++) {
      const [low, high] = [finite[at] as number, finite[at + 1] as number];
      const middle = (low + high) / 2;
      const codes = encode(type, Float32Array.of(middle * (1 - 1e-6), middle, middle * (1 + 1e-6)));
      expect(values[codes[0] as number]).toBe(low);
      expect(values[codes[2] as number]).toBe(high);
      expect((codes[1] as number) % 2).toBe(0);
    }
  });

  it('saturates', () => {
    const codes = encode(type, Float32Array.of(1e30, -1e30, Infinity));
    expect(Array.from(codes, (code) => values[code])).toEqual([largest, -largest, largest]);
  });
});

describe('float8e8m0', () => {
  it.each([
    { value: 1, up: 127, down: 127, nearest: 127 },
    { value: 1.25, up: 128, down: 127, nearest: 127 },
    { value: 1.5, up: 128, down: 127, nearest: 128 },
    { value: 0, up: 0, down: 0, nearest: 0 },
    { value: 3e38, up: 254, down: 254, nearest: 254 },
    { value: Number.NaN, up: 255, down: 255, nearest: 255 },
    { value: -1, up: undefined, down: undefined, nearest: undefined },
    { value: Infinity, up: undefined, down: undefined, nearest: undefined },
  ])('rounds $value', ({ value, up, down, nearest }) => {
    expect(exponentCode(value, 'up', true)).toBe(up);
    expect(exponentCode(value, 'down', true)).toBe(down);
    expect(exponentCode(value, 'nearest', true)).toBe(nearest);
  });
});

describe('the fast way to FLOAT8E4M3FN', () => {
  it('gives the codes of the plain one, for each code, each midpoint, their neighbours and beyond', () => {
    const values = smallFloatValues(DataType.FLOAT8E4M3FN) as Float64Array;
    const finite = [...values].filter((value) => Number.isFinite(value));
    const sorted = [...new Set(finite)].sort((a, b) => a - b);
    const numbers: number[] = [0, -0, 1e9, -1e9, 448, 464, 1e-30, -1e-30];
    for (const [i, value] of sorted.entries()) {
      const middle = (value + (sorted[i + 1] ?? value)) / 2;
      for (const each of [value, middle, middle * (1 + 2 ** -22), middle * (1 - 2 ** -22)]) numbers.push(each);
    }
    const source = Float32Array.from(numbers);
    const [fast, plain] = [new Uint8Array(source.length), new Uint8Array(source.length)];
    encodeFloat8E4M3(source, fast);
    encodeSmallFloats(DataType.FLOAT8E4M3FN, source, plain, true);
    expect(fast).toEqual(plain);
  });
});
