import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedKernels } from '../../scripts/gen-kernels.js';
import { absoluteMaximumBits, type ChannelLayout, quantizeSymmetric } from '../../src/quantize/weight-kernels.js';
import { type ConversionOptions, newConversionStatistics } from '../../src/tensor/conversion.js';
import { float16ToFloat32, float32ToFloat16 } from '../../src/tensor/float16.js';
import { BLOCK_ELEMENTS, MAXIMUM_CHANNELS, simdKernels, WORTHWHILE_ELEMENTS } from '../../src/tensor/kernels.js';

/** Pieces this short go through the plain loops, which the kernels must agree with. */
const SHORT = WORTHWHILE_ELEMENTS - 1;

/** 32 random bits at a time, the same at every run (xorshift32). */
function randomBits(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

function equal(actual: ArrayLike<number>, expected: ArrayLike<number>, input: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected[i]) expect.fail(`element ${i}, ${input[i]}: ${actual[i]}, not ${expected[i]}`);
  }
}

describe('kernels.generated.ts', () => {
  it('is what kernels.wat compiles to', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../src/tensor/kernels.generated.ts'), 'utf8');
    expect(text, 'run `node scripts/gen-kernels.js`').toBe(await generatedKernels());
  });

  it('is made once, on a machine with SIMD', () => {
    expect(simdKernels()).toBeDefined();
    expect(simdKernels()).toBe(simdKernels());
  });
});

describe('the float16 kernel', () => {
  /** Converts whole and in short pieces with the same options. */
  function check(bits: Int32Array, options: ConversionOptions): void {
    const whole = newConversionStatistics();
    const pieces = newConversionStatistics();
    const actual = new Uint16Array(bits.length);
    const expected = new Uint16Array(bits.length);
    float32ToFloat16(bits, actual, { ...options, statistics: whole });
    for (let at = 0; at < bits.length; at += SHORT) {
      float32ToFloat16(bits.subarray(at, at + SHORT), expected.subarray(at), { ...options, statistics: pieces });
    }
    equal(actual, expected, bits);
    expect(whole).toEqual(pieces);
  }

  const OPTIONS: readonly ConversionOptions[] = [{}, { clamp: true }, { keepNonZero: true }];

  it('agrees with the plain loop for every exponent and sign, with mantissas at its edges and between', () => {
    const next = randomBits(1);
    for (let exponent = 0; exponent < 256; exponent++) {
      const bits = Int32Array.from({ length: 2 * BLOCK_ELEMENTS + 13 }, (_, i) => {
        const mantissa =
          i < 8 ? ([0, 1, 0xfff, 0x1000, 0x1001, 0x3000, 0x7ff000, 0x7fffff][i] as number) : next() >>> 9;
        return (next() & 0x80000000) | (exponent << 23) | mantissa;
      });
      for (const options of OPTIONS) check(bits, options);
    }
  });

  it('takes every half and the midpoints between halves itself, where no option has to do with them', () => {
    const simd = simdKernels();
    const halves = Uint16Array.from({ length: 0x7c00 }, (_, half) => half);
    const wide = new Float32Array(halves.length);
    float16ToFloat32(halves, wide);
    for (const sign of [0, 0x80000000]) {
      for (const offset of [0, -1, 1, 0xfff, 0x1000, 0x1001]) {
        const bits = new Int32Array(wide.buffer.slice(0)).map((u) => (u === 0 ? 0 : u + offset) | sign);
        check(bits, {});
        for (let at = 0; at < bits.length; at += BLOCK_ELEMENTS) {
          const block = bits.subarray(at, at + BLOCK_ELEMENTS);
          simd?.bits.set(block);
          const unusual = at + block.length === bits.length && offset >= 0x1000;
          expect(simd?.float16(block.length)).toBe(!unusual);
        }
      }
    }
  });

  it('sees one unusual value at any place, and none beyond the count', () => {
    const simd = simdKernels();
    const unusual = [0x477ff000, 0x7f7fffff, 0x7f800000, 0x7fc00001, 0x33000000, 1];
    for (const magnitude of unusual) {
      for (const bits of [magnitude, magnitude | 0x80000000]) {
        for (let place = 0; place < 24; place++) {
          simd?.bits.fill(0x3f800000).fill(bits, place, place + 1);
          expect(simd?.float16(24)).toBe(false);
          if (place >= 8) expect(simd?.float16(place - (place % 8))).toBe(true);
        }
      }
    }
    for (const usual of [0, 0x80000000, 0x33000001, 0x477fefff]) {
      simd?.bits.fill(0x3f800000).fill(usual, 5, 6);
      expect(simd?.float16(16)).toBe(true);
    }
  });

  it('agrees with the plain loop at every length around a block', () => {
    const next = randomBits(7);
    const bits = Int32Array.from({ length: 2 * BLOCK_ELEMENTS + 20 }, () => 0x3c000000 + (next() >>> 5));
    for (const about of [SHORT + 1, BLOCK_ELEMENTS, 2 * BLOCK_ELEMENTS]) {
      for (let length = about; length < about + 18; length++) check(bits.subarray(1, 1 + length), {});
    }
  });
});

describe('the kernels over channels', () => {
  const next = randomBits(3);
  const values = Float32Array.from({ length: 3 * BLOCK_ELEMENTS + 37 }, () => next() / 2 ** 36);
  const bits = new Int32Array(values.buffer);

  const layouts: readonly ChannelLayout[] = [
    { channels: 1, inner: Number.MAX_SAFE_INTEGER },
    ...[32, 33, 768, 4095, 4097, 12000, MAXIMUM_CHANNELS, MAXIMUM_CHANNELS + 1].map((channels) => ({
      channels,
      inner: 1,
    })),
    ...[32, 49, 576, 5000].map((inner) => ({ channels: 3, inner })),
  ];

  it('find the largest magnitudes and the integers that the plain loops find, from any place on', () => {
    for (const layout of layouts) {
      for (const at of [0, 1, 31, 65536 * 7 + 5]) {
        const actual = new Int32Array(layout.channels);
        const expected = new Int32Array(layout.channels);
        absoluteMaximumBits(bits, at, layout, actual);
        for (let i = 0; i < bits.length; i += SHORT) {
          absoluteMaximumBits(bits.subarray(i, i + SHORT), at + i, layout, expected);
        }
        equal(actual, expected, bits);

        const scales = new Float32Array(actual.buffer).map((max) => (max === 0 ? 1 : Math.fround(max / 127)));
        const quantized = new Int8Array(values.length);
        const plain = new Int8Array(values.length);
        quantizeSymmetric(values, at, layout, scales, quantized);
        for (let i = 0; i < values.length; i += SHORT) {
          quantizeSymmetric(values.subarray(i, i + SHORT), at + i, layout, scales, plain.subarray(i, i + SHORT));
        }
        equal(quantized, plain, values);
      }
    }
  });

  it('round halves to the even integer, of both signs', () => {
    const halves = Float32Array.from({ length: 2048 }, (_, i) => ((i % 507) - 253) / 4);
    const target = new Int8Array(halves.length);
    quantizeSymmetric(halves, 0, { channels: 1, inner: Number.MAX_SAFE_INTEGER }, Float32Array.of(0.5), target);
    equal(target, halves.map(evenInteger), halves);
    quantizeSymmetric(halves, 0, { channels: 64, inner: 1 }, new Float32Array(64).fill(0.5), target);
    equal(target, halves.map(evenInteger), halves);
  });

  it('leave infinities and NaN to be seen above every finite magnitude', () => {
    for (const layout of layouts) {
      for (const [special, magnitude] of [
        [-0x00800000, 0x7f800000],
        [0x7fc00001, 0x7fc00001],
      ] as const) {
        for (const place of [0, 5, 2048, bits.length - 1]) {
          const some = bits.slice().fill(special, place, place + 1);
          const max = new Int32Array(layout.channels);
          absoluteMaximumBits(some, 0, layout, max);
          expect(max[Math.floor(place / layout.inner) % layout.channels]).toBe(magnitude);
        }
      }
    }
  });
});

/** x / 0.5 to the nearest integer, halves to the even one. */
function evenInteger(value: number): number {
  const doubled = value * 2;
  const below = Math.floor(doubled);
  if (doubled - below !== 0.5) return Math.round(doubled);
  return below % 2 === 0 ? below : below + 1;
}
