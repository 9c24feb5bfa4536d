/**
 * bfloat16 (ONNX BFLOAT16): the upper half of a float32, 8 exponent and 7 mantissa bits; largest finite value
 * 2^127 · (2 - 2^-7), about 3.39e38. Arrays are handled as bits, because reading a NaN as a number may lose its payload.
 */
import { type ConversionOptions, narrowedBytes } from './conversion.js';
import type { TensorBytes } from './tensor.js';

/** The largest finite BFLOAT16. */
export const BFLOAT16_MAX = 2 ** 127 * (2 - 2 ** -7);

const INFINITY_BITS = 0x7f800000;
/** The smallest float32 bits that round (half to even) beyond the largest BFLOAT16. */
const OVERFLOW_BITS = 0x7f7f8000;

/** Converts `source` to BFLOAT16 bits in `target` (at least as long), rounding half to even; a NaN stays a NaN. */
export function float32ToBfloat16(
  source: Float32Array | Uint32Array | Int32Array,
  target: Uint16Array,
  options: ConversionOptions = {},
): void {
  const bits = source instanceof Int32Array ? source : new Int32Array(source.buffer, source.byteOffset, source.length);
  convertBits(bits, target, options);
}

function convertBits(bits: Int32Array, target: Uint16Array, options: ConversionOptions): void {
  const count = bits.length;
  if (options.statistics) options.statistics.elements += count;
  for (let i = 0; i < count; i++) {
    const u = bits[i] as number;
    const magnitude = u & 0x7fffffff;
    if (magnitude > 0x8000 && magnitude < OVERFLOW_BITS) target[i] = (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
    else target[i] = ((u >>> 16) & 0x8000) | extreme(magnitude, options);
  }
}

/** Zero, float32 subnormals that round to zero, overflow, infinity and NaN. */
function extreme(magnitude: number, options: ConversionOptions): number {
  if (magnitude === 0) return 0;
  if (magnitude <= 0x8000) {
    if (options.statistics) options.statistics.underflowed++;
    return options.keepNonZero ? 1 : 0;
  }
  if (magnitude > INFINITY_BITS) return 0x7f80 | ((magnitude >>> 16) & 0x7f || 0x40);
  if (magnitude === INFINITY_BITS) return 0x7f80;
  if (options.statistics) options.statistics.overflowed++;
  return options.clamp ? 0x7f7f : 0x7f80;
}

/** Converts BFLOAT16 bits to float32 in `target` (at least as long): exact, NaN payloads included. */
export function bfloat16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16;
}

/** BFLOAT16 bits of one number, rounded to float32 first. */
export function toBfloat16(value: number, options: ConversionOptions = {}): number {
  const target = new Uint16Array(1);
  float32ToBfloat16(Float32Array.of(value), target, options);
  return target[0] as number;
}

/** The number that BFLOAT16 bits stand for. */
export function fromBfloat16(bits: number): number {
  const target = new Float32Array(1);
  bfloat16ToFloat32(Uint16Array.of(bits), target);
  return target[0] as number;
}

/** FLOAT bytes as BFLOAT16 bytes, converted while they are read; see `narrowedBytes` for memory and statistics. */
export function bfloat16Bytes(source: TensorBytes, options: ConversionOptions = {}): TensorBytes {
  return narrowedBytes(source, convertBits, options);
}
