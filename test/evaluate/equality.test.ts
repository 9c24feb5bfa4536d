import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkOutput, type Tolerance } from '../../src/evaluate/equality.js';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { DataType } from '../../src/tensor/dtype.js';

const EXACT: Tolerance = { exact: true, relative: 0, ofLargest: 0, ties: 0 };
const ROUNDED: Tolerance = { exact: false, relative: 1e-4, ofLargest: 1e-5, ties: 1e-3 };

const float = (...values: number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims: [values.length],
  data: Float32Array.from(values),
});
const int = (...values: number[]): EvaluatedTensor => ({
  dataType: DataType.INT64,
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const wrong = (a: EvaluatedTensor, b: EvaluatedTensor, options: Partial<CheckOptions> = {}): string | undefined =>
  checkOutput(a, b, { tolerance: ROUNDED, edge: false, extreme: false, ...options }).wrong;

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('an output that must be equal bit for bit', () => {
  const exact = { tolerance: EXACT };
  it('may hold any NaN for a NaN, and nothing else', () => {
    expect(wrong(float(nan, 1, inf, -0), float(nan, 1, inf, -0), exact)).toBeUndefined();
    expect(wrong(float(-0), float(0), exact)).toBe('element 0 is 0 instead of -0');
    expect(wrong(float(1, nan), float(1, 2), exact)).toBe('element 1 is 2 instead of NaN (1 of 2 elements differ)');
    expect(wrong(float(inf), float(-inf), { ...exact, edge: true })).toContain('instead of Infinity');
    expect(wrong(float(1), float(1 + 2 ** -23), exact)).toBeDefined();
  });

  it('is not excused by the noise of the original', () => {
    expect(wrong(float(1), float(1.5), { ...exact, noisy: float(2) })).toBeDefined();
  });
});

describe('an output that may be rounded', () => {
  it('may be off by a share of the element and of the largest', () => {
    expect(wrong(float(1, 100), float(1.00009, 100.009))).toBeUndefined();
    expect(wrong(float(1, 100), float(1.002, 100))).toContain('element 0');
    expect(wrong(float(0, 100), float(0.0009, 100))).toBeUndefined();
    expect(wrong(float(0, 100), float(0.002, 100))).toBeDefined();
    expect(wrong(float(-0), float(0))).toBeUndefined();
  });

  it('keeps NaN and infinities, but on edge cases, where only finite elements count', () => {
    expect(wrong(float(nan), float(1))).toBeDefined();
    expect(wrong(float(inf), float(1e30))).toBeDefined();
    expect(wrong(float(nan, inf), float(1, nan), { edge: true })).toBeUndefined();
    expect(wrong(float(1), float(nan), { edge: true })).toBeDefined();
    expect(wrong(float(1), float(inf), { edge: true })).toBeDefined();
  });

  it('may have some of the noise that the original has', () => {
    expect(wrong(float(1, 1), float(1.03, 1), { noisy: float(1, 1.01) })).toBeUndefined();
    expect(wrong(float(1, 1), float(1.1, 1), { noisy: float(1, 1.01) })).toBeDefined();
    expect(wrong(float(nan), float(1), { noisy: float(2) })).toBeUndefined();
  });
});

describe('types and shapes', () => {
  it('must be those of the original', () => {
    expect(wrong(float(1), int(1))).toBe('it is int64 instead of float');
    expect(wrong(float(1), float(1, 2))).toBe('its shape is [2] instead of [1]');
    // A count of boxes that rounding decides.
    expect(wrong(float(1), float(1, 2), { noisy: float(1, 2, 3) })).toBeUndefined();
  });

  it('of integers, booleans and strings leave no room but for rare ties', () => {
    expect(wrong(int(1, 2), int(1, 3))).toBe('element 1 is 3 instead of 2 (1 of 2 elements differ)');
    expect(wrong(int(1, 2), int(1, 3), { noisy: int(1, 4) })).toBeUndefined();
    const many = Array.from({ length: 2000 }, (_, i) => i);
    expect(wrong(int(...many), int(-1, ...many.slice(1)))).toBeUndefined();
    expect(wrong(int(...many), int(-1, ...many.slice(1)), { tolerance: EXACT })).toBeDefined();
    // The index of the largest of several infinities.
    expect(wrong(int(1, 2), int(1, 3), { edge: true })).toBeDefined();
    expect(wrong(int(1, 2), int(1, 3), { edge: true, extreme: true })).toBeUndefined();
    expect(wrong(int(1, 2), int(1, 3), { edge: true, extreme: true, tolerance: EXACT })).toBeDefined();
    const strings = (text: string): EvaluatedTensor => ({ dataType: DataType.STRING, dims: [1], data: [text] });
    expect(wrong(strings('a'), strings('b'))).toBe('element 0 is "b" instead of "a"');
  });
});
