import { describe, expect, it } from 'vitest';
import {
  dequantizeRows,
  type LinearCodes,
  packRows,
  quantizeRows,
  readScales,
  unpackRows,
} from '../../src/quantize/linear-weights.js';
import { createRandom } from '../../src/tensor/random.js';

function weights(count: number): Float32Array {
  const random = createRandom(3);
  return Float32Array.from({ length: count }, () => random.float() * 2 - 1);
}

const FORMATS: readonly [string, LinearCodes, decibels: number][] = [
  ['4 bits in groups', { bits: 4, kind: 'int', groupSize: 32 }, 20],
  ['8 bits an output', { bits: 8, kind: 'int' }, 45],
  ['FP8 an output', { bits: 8, kind: 'float' }, 30],
];

describe('rounding matrices of linear layers', () => {
  it.each(FORMATS)('%s: the measured error is that of the decoded values', (_, format, decibels) => {
    for (const type of ['F32', 'F16', 'BF16'] as const) {
      const values = weights(8 * 96);
      const error = { signal: 0, noise: 0 };
      const { codes, scaleBytes } = quantizeRows(values, 96, format, type, error);
      const decoded = dequantizeRows(codes, scaleBytes, 96, format, type);
      const noise = values.reduce((sum, value, i) => sum + (value - (decoded[i] as number)) ** 2, 0);
      expect(error.noise).toBeCloseTo(noise, 6);
      expect(10 * Math.log10(error.signal / error.noise)).toBeGreaterThan(decibels);
    }
  });

  it('maps the largest magnitude of a group to half of the range, halves to even, clipped', () => {
    const error = { signal: 0, noise: 0 };
    const { codes, scaleBytes } = quantizeRows(
      Float32Array.of(7.5, -7.5, 0.5, 1.5),
      4,
      { bits: 4, kind: 'int', groupSize: 4 },
      'F32',
      error,
    );
    expect([...readScales(scaleBytes, 'F32')]).toEqual([1]);
    expect([...codes]).toEqual([7, -8, 0, 2]);
  });

  it('gives rows of zeros the code 0, and keeps the signs of rows of tiny values', () => {
    const error = { signal: 0, noise: 0 };
    const { codes, scaleBytes } = quantizeRows(
      Float32Array.of(0, 0, 6e-8, -6e-8),
      2,
      { bits: 8, kind: 'int' },
      'F16',
      error,
    );
    expect([...codes.subarray(0, 2)]).toEqual([0, 0]);
    expect(Math.sign(codes[2] as number)).toBe(1);
    expect(Math.sign(codes[3] as number)).toBe(-1);
    expect(readScales(scaleBytes, 'F16').every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
  });

  it('packs low bits first and fills rows to words', () => {
    expect([...packRows(Int8Array.of(-8, 7, 0), 3, 4)]).toEqual([0xf0, 0x08, 0, 0]);
    expect([...packRows(Int8Array.of(-128, 0, 127), 3, 8)]).toEqual([0, 128, 255, 0]);
  });

  it.each([4, 8] as const)('unpacks what it packed, %s bits', (bits) => {
    const random = createRandom(5);
    for (const columns of [1, 7, 8, 33]) {
      const codes = Int8Array.from(
        { length: 3 * columns },
        () => Math.floor(random.float() * 2 ** bits) - 2 ** (bits - 1),
      );
      expect(unpackRows(packRows(codes, columns, bits), columns, bits)).toEqual(codes);
    }
  });
});
