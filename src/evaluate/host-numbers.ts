import { bfloat16ToFloat32 } from '../tensor/bfloat16.js';
import { DataType, dataTypeRow } from '../tensor/dtype.js';
import { float16ToFloat32 } from '../tensor/float16.js';

/** The part of a tensor that metrics look at; `HostTensor` is one. */
export interface EvaluatedTensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint> | readonly string[];
  /** Of labels alone: they are the token after each position. */
  readonly nextTokens?: true;
}

/** True for floating-point tensors, whose elements may differ a little without being wrong. */
export function isFloatTensor(tensor: EvaluatedTensor): boolean {
  return dataTypeRow(tensor.dataType)?.kind === 'float';
}

/** Elements of a float tensor as numbers; 16-bit floats are decoded from their bits. */
export function floatElements(tensor: EvaluatedTensor): Float32Array | Float64Array {
  const { data, dataType } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (data instanceof Uint16Array && (dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16)) {
    const wide = new Float32Array(data.length);
    if (dataType === DataType.FLOAT16) float16ToFloat32(data, wide);
    else bfloat16ToFloat32(data, wide);
    return wide;
  }
  return Float64Array.from(data as ArrayLike<number>, Number);
}

/** Logarithm of the sum of the exponentials of `count` elements from `start`, `stride` apart; no exponential overflows. */
export function logSumExp(values: ArrayLike<number>, start: number, count: number, stride = 1): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0, at = start; i < count; i++, at += stride) most = Math.max(most, values[at] as number);
  let sum = 0;
  for (let i = 0, at = start; i < count; i++, at += stride) sum += Math.exp((values[at] as number) - most);
  return most + Math.log(sum);
}

/**
 * Index of the largest of `width` elements from `start`, `stride` apart, the first of equals; -1 where one is NaN: such a row
 * has no largest.
 */
export function argMax(values: Float32Array | Float64Array, start: number, width: number, stride = 1): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < width; i++) {
    const value = values[start + i * stride] as number;
    if (Number.isNaN(value)) return -1;
    if (value > most || best < 0) {
      best = i;
      most = value;
    }
  }
  return best;
}

/**
 * The largest class of each position of an output [rows, …], in the order of the positions; -1 where one is NaN.
 * @param axis of the classes, counted from the end where negative
 */
export function largestClasses(values: Float32Array | Float64Array, dims: readonly number[], axis: number): Int32Array {
  const at = axis < 0 ? axis + dims.length : axis;
  const classes = dims[at] ?? 1;
  const stride = dims.slice(at + 1).reduce((product, size) => product * size, 1);
  const best = new Int32Array(values.length / classes);
  for (let start = 0, position = 0; start < values.length; start += classes * stride)
    for (let i = start; i < start + stride; i++) best[position++] = argMax(values, i, classes, stride);
  return best;
}
