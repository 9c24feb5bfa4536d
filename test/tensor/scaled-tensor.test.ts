import { describe, expect, it } from 'vitest';
import { DataType } from '../../src/tensor/dtype.js';
import { float64Values, floatTensor } from '../../src/tensor/float-values.js';
import { runMagnitudes, scaledTensor } from '../../src/tensor/scaled-tensor.js';
import { CHUNK_BYTES, Tensor } from '../../src/tensor/tensor.js';

const TYPES = [DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16, DataType.BFLOAT16];

function values(tensor: Tensor): number[] {
  return [...(float64Values(tensor) ?? [])];
}

describe('floatTensor', () => {
  it.each(TYPES)('gives back what type %i can hold', (dataType) => {
    const held = [0, 1, -2, 0.5, -1.5, 2 ** -14, Number.POSITIVE_INFINITY, Number.NaN];
    expect(values(floatTensor(dataType, Float64Array.from(held)))).toEqual(held);
  });

  it('rounds once: just above the middle of two numbers goes up', () => {
    const above = Float64Array.of(1 + 2 ** -11 + 2 ** -40, -(1 + 2 ** -11 + 2 ** -40), 1 + 2 ** -11, 65520 - 2 ** -20);
    expect(values(floatTensor(DataType.FLOAT16, above))).toEqual([1 + 2 ** -10, -(1 + 2 ** -10), 1, 65504]);
    const wide = Float64Array.of(1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8 - 2 ** -40, 2 ** 200, 2 ** -200);
    expect(values(floatTensor(DataType.BFLOAT16, wide))).toEqual([1 + 2 ** -7, 1, Number.POSITIVE_INFINITY, 0]);
  });
});

describe('scaledTensor', () => {
  it.each(TYPES)('gives each run of type %i its factor', (dataType) => {
    const tensor = floatTensor(dataType, Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 2]);
    const scaled = scaledTensor(tensor, { factors: Float64Array.of(1, 10), inner: 2 });
    expect(values(scaled)).toEqual([1, 2, 30, 40, 5, 6, 70, 80]);
    expect(values(scaledTensor(tensor, { factors: Float64Array.of(1, 0.5), inner: 1 }))).toEqual([
      1, 1, 3, 2, 5, 3, 7, 4,
    ]);
  });

  it('multiplies factors of the same layout, and rounds once', () => {
    const tensor = Tensor.float32([1, 2]);
    const third = scaledTensor(tensor, { factors: Float64Array.of(1 / 3, 1 / 7), inner: 1 });
    expect(values(scaledTensor(third, { factors: Float64Array.of(3, 7), inner: 1 }))).toEqual([1, 2]);
    const whole = scaledTensor(third, { factors: Float64Array.of(21), inner: 2 });
    expect(values(scaledTensor(whole, { factors: Float64Array.of(1 / 7, 1 / 3), inner: 1 }))).toEqual([1, 2]);
    const other = scaledTensor(tensor, { factors: Float64Array.of(2), inner: 2 });
    expect(values(scaledTensor(other, { factors: Float64Array.of(1, 3), inner: 1 }))).toEqual([2, 12]);
  });

  it('gives the same in pieces, wherever they end', () => {
    const count = CHUNK_BYTES / 2 + 5;
    const tensor = Tensor.float32(Float32Array.from({ length: count }, (_, i) => i % 7));
    const scaling = { factors: Float64Array.of(1, 2, 3), inner: 1001 };
    const scaled = scaledTensor(tensor, scaling);
    const pieces: Uint8Array[] = [];
    for (const chunk of scaled.data.chunks()) pieces.push(chunk.slice());
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(scaled.bytes())).toBe(true);
    expect([...runMagnitudes(scaled, 3, 1001)]).toEqual([6, 12, 18]);
    for (const [start, end] of [
      [0, 8],
      [4003, 4010],
      [count * 4 - 3, count * 4],
    ] as const)
      expect(scaled.data.range?.(start, end)).toEqual(scaled.bytes().slice(start, end));
  });
});

describe('runMagnitudes', () => {
  it('fills what is given with any part of it', () => {
    const plain = Tensor.float32(Float32Array.from({ length: 24 }, (_, at) => at + 1));
    const bytes = plain.bytes();
    const data = {
      byteLength: bytes.byteLength,
      read: () => bytes,
      chunks: () => [bytes],
      range: (start: number, end: number) => bytes.slice(start, end),
      readInto: (target: Uint8Array, start: number) => target.set(bytes.subarray(start, start + target.length)),
    };
    const scaled = scaledTensor(Tensor.of(DataType.FLOAT, [24], data), { factors: Float64Array.of(1, 3), inner: 2 });
    for (const [start, end] of [
      [0, 96],
      [12, 40],
      [13, 35],
    ] as const) {
      const target = new Uint8Array(end - start);
      scaled.data.readInto?.(target, start);
      expect(target).toEqual(scaled.bytes().subarray(start, end));
    }
    expect(plain.float32Array()[0]).toBe(1);
  });

  it('finds what is not finite', () => {
    const tensor = Tensor.float32([1, -5, Number.NaN, 2, 3, Number.NEGATIVE_INFINITY], [3, 2]);
    expect([...runMagnitudes(tensor, 3, 2)]).toEqual([5, Number.NaN, Number.NaN]);
    expect([...runMagnitudes(tensor, 2, 1)]).toEqual([Number.NaN, Number.NaN]);
    const columns = Tensor.float32([Number.NaN, -5, 1, 2, 0, 7], [2, 3]);
    expect([...runMagnitudes(columns, 3, 1)]).toEqual([Number.NaN, 5, 7]);
  });
});
