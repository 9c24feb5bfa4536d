import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newConversionStatistics } from '../../src/tensor/conversion.js';
import {
  FLOAT16_MAX,
  float16Bytes,
  float16ToFloat32,
  float32ToFloat16,
  fromFloat16,
  toFloat16,
} from '../../src/tensor/float16.js';
import { bytesOf, CHUNK_BYTES, memoryBytes } from '../../src/tensor/tensor.js';

/** The value of half bits by the definition in IEEE 754. */
function definition(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** The nearest finite half by search over all of them, ties to the even mantissa; overflow from 65520. */
const finite = Array.from({ length: 0x7c00 }, (_, half) => definition(half));
function nearest(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  let low = 0;
  let high = 0x7bff;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((finite[middle] as number) <= magnitude) low = middle;
    else high = middle - 1;
  }
  if (low === 0x7bff) return sign | low;
  const below = magnitude - (finite[low] as number);
  const above = (finite[low + 1] as number) - magnitude;
  return sign | (below < above || (below === above && low % 2 === 0) ? low : low + 1);
}

function convert(values: Float32Array, options = {}): Uint16Array {
  const target = new Uint16Array(values.length);
  float32ToFloat16(values, target, options);
  return target;
}

const allHalves = Uint16Array.from({ length: 0x10000 }, (_, half) => half);

describe('float16', () => {
  it('reads every half as its definition says', () => {
    const target = new Float32Array(0x10000);
    float16ToFloat32(allHalves, target);
    for (let half = 0; half < 0x10000; half++) {
      if (!Object.is(target[half], definition(half))) expect.fail(`half ${half} read as ${target[half]}`);
    }
  });

  it('gives every half back bit for bit after a round trip, NaN payloads included', () => {
    const wide = new Float32Array(0x10000);
    float16ToFloat32(allHalves, wide);
    expect(convert(wide)).toEqual(allHalves);
  });

  it('rounds the midpoints between neighbours, and the floats beside them, to the nearest even half', () => {
    const values: number[] = [];
    for (let half = 0; half < 0x7bff; half++) {
      const middle = ((finite[half] as number) + (finite[half + 1] as number)) / 2;
      const bits = new Uint32Array(Float32Array.of(middle).buffer)[0] as number;
      const beside = new Float32Array(Uint32Array.of(bits - 1, bits, bits + 1).buffer);
      for (const value of beside) values.push(value, -value);
    }
    const halves = convert(Float32Array.from(values));
    values.forEach((value, i) => {
      if (halves[i] !== nearest(value)) expect.fail(`${value} became ${halves[i]}, not ${nearest(value)}`);
    });
  });

  it('agrees with the slow reference on any float32 bits', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 64 }), (words) => {
        const bits = Uint32Array.from(words);
        const values = new Float32Array(bits.buffer);
        const target = new Uint16Array(bits.length);
        float32ToFloat16(bits, target);
        values.forEach((value, i) => {
          const half = target[i] as number;
          if (Number.isNaN(value)) expect([half & 0x7c00, (half & 0x3ff) !== 0]).toEqual([0x7c00, true]);
          else expect(half).toBe(nearest(value));
        });
      }),
    );
    fc.assert(fc.property(fc.float({ min: -70000, max: 70000, noNaN: true }), (v) => toFloat16(v) === nearest(v)));
  });

  it('keeps the sign and the upper payload of a NaN, and never makes it an infinity', () => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc02000, 0x7f800001, 0xffffffff);
    const target = new Uint16Array(4);
    float32ToFloat16(bits, target);
    expect([...target]).toEqual([0x7e00, 0xfe01, 0x7e00, 0xffff]);
  });

  it('clamps finite values on request, counts them, and leaves infinities alone', () => {
    const statistics = newConversionStatistics();
    const values = Float32Array.of(65519, 65520, -3.4e38, Infinity, -Infinity, 1);
    const halves = convert(values, { clamp: true, statistics });
    expect([...halves].map(fromFloat16)).toEqual([FLOAT16_MAX, FLOAT16_MAX, -FLOAT16_MAX, Infinity, -Infinity, 1]);
    expect(statistics).toEqual({ elements: 6, overflowed: 2, underflowed: 0 });
    expect(fromFloat16(toFloat16(65520))).toBe(Infinity);
  });

  it('counts values that become zero, and keeps them apart from zero on request', () => {
    const statistics = newConversionStatistics();
    const values = Float32Array.of(1e-12, -1e-12, 0, -0, 2 ** -25, 2 ** -24);
    expect([...convert(values, { statistics })]).toEqual([0, 0x8000, 0, 0x8000, 0, 1]);
    expect(statistics.underflowed).toBe(3);
    expect([...convert(values, { keepNonZero: true })]).toEqual([1, 0x8001, 0, 0x8000, 1, 1]);
  });

  it('converts bytes lazily in pieces equal to the whole, at any alignment, counting anew at each reading', () => {
    const count = CHUNK_BYTES / 4 + 5;
    const values = Float32Array.from({ length: count }, (_, i) => Math.sin(i) * (i % 7 === 0 ? 1e5 : 1));
    const shifted = new Uint8Array(count * 4 + 1);
    shifted.set(bytesOf(values), 1);
    const statistics = newConversionStatistics();
    const half = float16Bytes(memoryBytes(shifted.subarray(1)), { clamp: true, statistics });
    expect(half.byteLength).toBe(count * 2);
    const whole = half.read();
    const once = { ...statistics };
    const pieces = [...half.chunks()].map((piece) => piece.byteLength);
    expect(pieces).toEqual([CHUNK_BYTES / 2, 10]);
    const joined = new Uint8Array(count * 2);
    let at = 0;
    for (const piece of half.chunks()) {
      joined.set(piece, at);
      at += piece.byteLength;
    }
    expect(Buffer.compare(joined, whole)).toBe(0);
    expect(Buffer.compare(whole, bytesOf(convert(values, { clamp: true })))).toBe(0);
    expect(statistics).toEqual(once);
    expect(once.elements).toBe(count);
    expect(once.overflowed).toBeGreaterThan(0);
  });
});
