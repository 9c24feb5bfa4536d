/**
 * Round-to-nearest quantization of the matrices of linear layers, [outputs, inputs], a block of rows at a time, in the conventions of
 * compressed-tensors (`calculate_qparams` with `symmetric`): scale = largest magnitude / half of the range of codes, rounded to the
 * type of the weights; code = x / scale, halves to even, clipped. The quotient is a float32 division by the stored scale, so that
 * no rounding of a narrow type comes between.
 */
import { bfloat16ToFloat32, float32ToBfloat16 } from '../tensor/bfloat16.js';
import { DataType } from '../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../tensor/float16.js';
import { encodeFloat8E4M3, smallFloatValues } from '../tensor/small-float.js';

/** Codes of a linear layer. */
export interface LinearCodes {
  readonly bits: 4 | 8;
  /** `float` is FLOAT8E4M3FN. */
  readonly kind: 'int' | 'float';
  /** Inputs that share a scale; undefined for one scale an output. */
  readonly groupSize?: number | undefined;
}

/** Type that scales are stored in: that of the weights. */
export type ScaleType = 'F32' | 'F16' | 'BF16';

/** Sums over what was quantized, for its signal-to-noise ratio. */
export interface LinearError {
  /** Sum of squares of the weights. */
  signal: number;
  /** Sum of squares of the differences to what the codes stand for. */
  noise: number;
}

/** Rows of codes with their scales. */
export interface QuantizedRows {
  /** One byte an element: an integer, or bits of FLOAT8E4M3FN. [rows, columns] */
  readonly codes: Int8Array;
  /** Bits of the scale type, as bytes. [rows, groups] */
  readonly scaleBytes: Uint8Array;
}

const ROUNDER = 12582912;

/** Half of the range of codes: what the largest magnitude of a group is mapped to. */
export function halfRange({ bits, kind }: LinearCodes): number {
  return kind === 'float' ? 448 : (2 ** bits - 1) / 2;
}

/** Scales in a row. */
export function groupsOf(columns: number, { groupSize = columns }: LinearCodes): number {
  return Math.ceil(columns / groupSize);
}

/**
 * Quantizes rows. @param values finite, [rows, columns] @param error is added to
 */
export function quantizeRows(
  values: Float32Array,
  columns: number,
  format: LinearCodes,
  scaleType: ScaleType,
  error: LinearError,
): QuantizedRows {
  const groupSize = format.groupSize ?? columns;
  const rows = values.length / columns;
  const maxima = groupMaxima(values, rows, columns, groupSize);
  const half = halfRange(format);
  const wanted = maxima.map((max) => (max === 0 ? 1 : max / half));
  const { scales, scaleBytes } = storedScales(wanted, scaleType);
  const codes = new Int8Array(values.length);
  if (format.kind === 'float') encodeFloats(values, scales, columns, groupSize, codes, error);
  else encodeIntegers(values, scales, columns, groupSize, format.bits, codes, error);
  return { codes, scaleBytes };
}

/** The values that codes stand for: float32 products of code and scale. */
export function dequantizeRows(
  codes: Int8Array,
  scaleBytes: Uint8Array,
  columns: number,
  format: LinearCodes,
  scaleType: ScaleType,
): Float32Array {
  const groupSize = format.groupSize ?? columns;
  const scales = readScales(scaleBytes, scaleType);
  const floats = format.kind === 'float' ? smallFloatValues(DataType.FLOAT8E4M3FN) : undefined;
  const values = new Float32Array(codes.length);
  eachGroup(codes.length, columns, groupSize, (group, start, end) => {
    const scale = scales[group] as number;
    for (let i = start; i < end; i++) {
      const code = codes[i] as number;
      values[i] = (floats ? (floats[code & 0xff] as number) : code) * scale;
    }
  });
  return values;
}

function groupMaxima(values: Float32Array, rows: number, columns: number, groupSize: number): Float32Array {
  const maxima = new Float32Array(rows * Math.ceil(columns / groupSize));
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const largestBits = new Int32Array(maxima.buffer);
  eachGroup(values.length, columns, groupSize, (group, start, end) => {
    let largest = 0;
    // Magnitudes are in the order of their bits.
    for (let i = start; i < end; i++) {
      const magnitude = (bits[i] as number) & 0x7fffffff;
      if (magnitude > largest) largest = magnitude;
    }
    largestBits[group] = largest;
  });
  return maxima;
}

function eachGroup(
  length: number,
  columns: number,
  groupSize: number,
  visit: (group: number, start: number, end: number) => void,
): void {
  let group = 0;
  for (let row = 0; row < length; row += columns)
    for (let at = 0; at < columns; at += groupSize) visit(group++, row + at, row + Math.min(at + groupSize, columns));
}

function storedScales(wanted: Float32Array, type: ScaleType): { scales: Float32Array; scaleBytes: Uint8Array } {
  if (type === 'F32') return { scales: wanted, scaleBytes: bytesOf(wanted) };
  const stored = new Uint16Array(wanted.length);
  const scales = new Float32Array(wanted.length);
  if (type === 'BF16') {
    // A scale is never 0: a group of tiny values keeps its signs.
    float32ToBfloat16(wanted, stored, { keepNonZero: true, clamp: true });
    bfloat16ToFloat32(stored, scales);
  } else {
    float32ToFloat16(wanted, stored, { keepNonZero: true, clamp: true });
    float16ToFloat32(stored, scales);
  }
  return { scales, scaleBytes: bytesOf(stored) };
}

/** Scales of a type as float32 numbers. */
export function readScales(bytes: Uint8Array, type: ScaleType): Float32Array {
  const aligned = bytes.slice().buffer;
  if (type === 'F32') return new Float32Array(aligned);
  const stored = new Uint16Array(aligned);
  const scales = new Float32Array(stored.length);
  if (type === 'BF16') bfloat16ToFloat32(stored, scales);
  else float16ToFloat32(stored, scales);
  return scales;
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function encodeIntegers(
  values: Float32Array,
  scales: Float32Array,
  columns: number,
  groupSize: number,
  bits: number,
  codes: Int8Array,
  error: LinearError,
): void {
  const least = -(2 ** (bits - 1));
  const most = -least - 1;
  eachGroup(values.length, columns, groupSize, (group, start, end) => {
    const scale = scales[group] as number;
    let { signal, noise } = { signal: 0, noise: 0 };
    for (let i = start; i < end; i++) {
      const value = values[i] as number;
      let code = Math.fround(Math.fround(value / scale) + ROUNDER) - ROUNDER;
      if (code > most) code = most;
      else if (code < least) code = least;
      codes[i] = code;
      const difference = value - code * scale;
      signal += value * value;
      noise += difference * difference;
    }
    error.signal += signal;
    error.noise += noise;
  });
}

function encodeFloats(
  values: Float32Array,
  scales: Float32Array,
  columns: number,
  groupSize: number,
  codes: Int8Array,
  error: LinearError,
): void {
  const floats = smallFloatValues(DataType.FLOAT8E4M3FN) as Float64Array;
  const quotients = new Float32Array(groupSize);
  eachGroup(values.length, columns, groupSize, (group, start, end) => {
    const scale = scales[group] as number;
    for (let i = start; i < end; i++) quotients[i - start] = (values[i] as number) / scale;
    const target = new Uint8Array(codes.buffer, codes.byteOffset + start, end - start);
    encodeFloat8E4M3(quotients.subarray(0, end - start), target);
    let { signal, noise } = { signal: 0, noise: 0 };
    for (let i = start; i < end; i++) {
      const value = values[i] as number;
      const difference = value - (floats[target[i - start] as number] as number) * scale;
      signal += value * value;
      noise += difference * difference;
    }
    error.signal += signal;
    error.noise += noise;
  });
}

/** Bytes of a packed row: codes of `bits` bits, low bits first, filled to 32-bit words. */
export function packedRowBytes(columns: number, bits: number): number {
  return Math.ceil((columns * bits) / 32) * 4;
}

/**
 * Packs codes as `pack-quantized` does: each plus 2^(bits - 1), low bits first, every row filled to a 32-bit word with zeros.
 * @returns [rows, packedRowBytes]
 */
export function packRows(codes: Int8Array, columns: number, bits: 4 | 8): Uint8Array {
  const rowBytes = packedRowBytes(columns, bits);
  const rows = codes.length / columns;
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const to = row * rowBytes;
    if (bits === 8) for (let i = 0; i < columns; i++) packed[to + i] = (codes[from + i] as number) + 128;
    else {
      for (let i = 0; i < columns; i += 2) {
        const low = (codes[from + i] as number) + 8;
        const high = i + 1 < columns ? (codes[from + i + 1] as number) + 8 : 0;
        packed[to + (i >> 1)] = low | (high << 4);
      }
    }
  }
  return packed;
}

/** The reverse of `packRows`. */
export function unpackRows(packed: Uint8Array, columns: number, bits: 4 | 8): Int8Array {
  const rowBytes = packedRowBytes(columns, bits);
  const rows = packed.length / rowBytes;
  const codes = new Int8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      if (bits === 8) codes[row * columns + i] = (packed[row * rowBytes + i] as number) - 128;
      else codes[row * columns + i] = (((packed[row * rowBytes + (i >> 1)] as number) >> ((i & 1) * 4)) & 15) - 8;
    }
  }
  return codes;
}
