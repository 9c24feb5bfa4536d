/**
 * IEEE 754 binary16 (ONNX FLOAT16): 1 sign, 5 exponent and 10 mantissa bits; range ±65504, smallest normal 2^-14,
 * smallest subnormal 2^-24. Arrays are handled as bits, because reading a NaN as a number may lose its payload.
 */
import { type ConversionOptions, narrowedBytes } from './conversion.js';
import { BLOCK_ELEMENTS, simdKernels, WORTHWHILE_ELEMENTS } from './kernels.js';
import type { TensorBytes } from './tensor.js';

/** The largest finite FLOAT16. */
export const FLOAT16_MAX = 65504;
/** The smallest positive FLOAT16, a subnormal: 2^-24. */
export const FLOAT16_SMALLEST = 2 ** -24;

/** Bits of 2^-14, the smallest float32 that is a normal FLOAT16. */
const NORMAL_BITS = 0x38800000;
/** Bits of 65520, the smallest float32 that rounds (half to even) beyond the largest FLOAT16. */
const OVERFLOW_BITS = 0x477ff000;
const INFINITY_BITS = 0x7f800000;
/** Bits of 2^-25: it and everything below rounds to zero. */
const ZERO_BITS = 0x33000000;

/**
 * Converts `source` to FLOAT16 bits in `target` (at least as long), rounding half to even as IEEE 754 and ONNX's Cast
 * do. A NaN keeps its sign and the upper bits of its payload. About 0.5 ns an element.
 */
export function float32ToFloat16(
  source: Float32Array | Uint32Array | Int32Array,
  target: Uint16Array,
  options: ConversionOptions = {},
): void {
  const bits = source instanceof Int32Array ? source : new Int32Array(source.buffer, source.byteOffset, source.length);
  convertBits(bits, target, options);
}

/** Block by block with SIMD; a block that holds a value with which the options have to do is left to the plain loop. */
function convertBits(bits: Int32Array, target: Uint16Array, options: ConversionOptions): void {
  const count = bits.length;
  if (options.statistics) options.statistics.elements += count;
  const simd = count < WORTHWHILE_ELEMENTS ? undefined : simdKernels();
  const whole = simd ? count - (count % 8) : 0;
  if (simd) {
    for (let at = 0; at < whole; at += BLOCK_ELEMENTS) {
      const end = Math.min(whole, at + BLOCK_ELEMENTS);
      const block = bits.subarray(at, end);
      simd.bits.set(block);
      if (simd.float16(block.length)) target.set(simd.halves.subarray(0, block.length), at);
      else convertPlainly(block, target.subarray(at, end), options);
    }
  }
  if (whole < count) convertPlainly(bits.subarray(whole), target.subarray(whole), options);
}

/**
 * Four elements at a time: where all of them lie in [2^-14, 4) (the offset exponent bits leave the upper five bits
 * clear), which is nearly every weight of a network, no further test is needed.
 */
function convertPlainly(bits: Int32Array, target: Uint16Array, options: ConversionOptions): void {
  const count = bits.length;
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    const u0 = bits[i] as number;
    const u1 = bits[i + 1] as number;
    const u2 = bits[i + 2] as number;
    const u3 = bits[i + 3] as number;
    const a0 = (u0 & 0x7fffffff) - NORMAL_BITS;
    const a1 = (u1 & 0x7fffffff) - NORMAL_BITS;
    const a2 = (u2 & 0x7fffffff) - NORMAL_BITS;
    const a3 = (u3 & 0x7fffffff) - NORMAL_BITS;
    if (((a0 | a1 | a2 | a3) & 0xf8000000) === 0) {
      // 0x800fff: the exponent 1 of the smallest normal, and just under half a unit in the last place.
      target[i] = ((u0 >>> 16) & 0x8000) | ((a0 + 0x800fff + ((u0 >>> 13) & 1)) >> 13);
      target[i + 1] = ((u1 >>> 16) & 0x8000) | ((a1 + 0x800fff + ((u1 >>> 13) & 1)) >> 13);
      target[i + 2] = ((u2 >>> 16) & 0x8000) | ((a2 + 0x800fff + ((u2 >>> 13) & 1)) >> 13);
      target[i + 3] = ((u3 >>> 16) & 0x8000) | ((a3 + 0x800fff + ((u3 >>> 13) & 1)) >> 13);
    } else {
      target[i] = halfOfBits(u0, options);
      target[i + 1] = halfOfBits(u1, options);
      target[i + 2] = halfOfBits(u2, options);
      target[i + 3] = halfOfBits(u3, options);
    }
  }
  for (let i = whole; i < count; i++) target[i] = halfOfBits(bits[i] as number, options);
}

function halfOfBits(u: number, options: ConversionOptions): number {
  const magnitude = u & 0x7fffffff;
  const sign = (u >>> 16) & 0x8000;
  if (magnitude === 0) return sign;
  if (magnitude >= NORMAL_BITS && magnitude < OVERFLOW_BITS) {
    return sign | ((magnitude - NORMAL_BITS + 0x800fff + ((u >>> 13) & 1)) >> 13);
  }
  return magnitude < NORMAL_BITS ? sign | subnormal(magnitude, options) : sign | beyond(magnitude, options);
}

/** Magnitudes below 2^-14: the mantissa with its hidden bit, in units of 2^-24. */
function subnormal(magnitude: number, options: ConversionOptions): number {
  if (magnitude <= ZERO_BITS) {
    if (options.statistics) options.statistics.underflowed++;
    return options.keepNonZero ? 1 : 0;
  }
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const half = 1 << (shift - 1);
  const kept = mantissa >>> shift;
  return (mantissa + half - 1 + (kept & 1)) >>> shift;
}

/** Magnitudes from 65520: overflow, infinity, NaN. */
function beyond(magnitude: number, options: ConversionOptions): number {
  if (magnitude > INFINITY_BITS) return 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  if (magnitude === INFINITY_BITS) return 0x7c00;
  if (options.statistics) options.statistics.overflowed++;
  return options.clamp ? 0x7bff : 0x7c00;
}

/** Converts FLOAT16 bits to float32 in `target` (at least as long): exact, NaN payloads included. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  const count = source.length;
  for (let i = 0; i < count; i++) {
    const half = source[i] as number;
    const magnitude = half & 0x7fff;
    const sign = (half & 0x8000) << 16;
    if (magnitude >= 0x400 && magnitude < 0x7c00) bits[i] = sign | ((magnitude << 13) + 0x38000000);
    else if (magnitude >= 0x7c00) bits[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    else target[i] = (sign ? -magnitude : magnitude) * FLOAT16_SMALLEST;
  }
}

/** FLOAT16 bits of one number. The number is rounded to float32 first, as ONNX's Cast from FLOAT sees it. */
export function toFloat16(value: number, options: ConversionOptions = {}): number {
  const target = new Uint16Array(1);
  float32ToFloat16(Float32Array.of(value), target, options);
  return target[0] as number;
}

/** The number that FLOAT16 bits stand for. */
export function fromFloat16(bits: number): number {
  const target = new Float32Array(1);
  float16ToFloat32(Uint16Array.of(bits), target);
  return target[0] as number;
}

/**
 * FLOAT bytes as FLOAT16 bytes, converted while they are read; see `narrowedBytes` for memory and statistics.
 *
 * @example
 * const half = Tensor.of(DataType.FLOAT16, tensor.dims, float16Bytes(tensor.data, { clamp: true }));
 */
export function float16Bytes(source: TensorBytes, options: ConversionOptions = {}): TensorBytes {
  return narrowedBytes(source, convertBits, options);
}
