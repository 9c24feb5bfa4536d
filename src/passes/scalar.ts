/** Constants of one element as numbers, and numbers as constants. */

import { toBfloat16 } from '../tensor/bfloat16.js';
import { DataType, type DataTypeCode, isFloat } from '../tensor/dtype.js';
import { toFloat16 } from '../tensor/float16.js';
import { bytesOf, elementCount, Tensor, type TypedArray } from '../tensor/tensor.js';
import { uniformElement } from './uniform.js';

/** The number that a tensor of one element holds, in any type of numbers that are exact as such; undefined for any other. */
export function scalarOf(tensor: Tensor | undefined): number | undefined {
  return tensor?.size === 1 ? uniformElement(tensor) : undefined;
}

/** How far a constant may be from what it stands for, relatively: exporters round √2 to six digits, and 16-bit types to what they have. */
const TOLERANCE: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT16, 2 ** -10],
  [DataType.BFLOAT16, 2 ** -7],
]);
const FLOAT_TOLERANCE = 1e-5;

/** Whether a constant of this type stands for `expected`: the same number as far as its type can tell; integers exactly. */
export function standsFor(value: number, expected: number, dataType: DataTypeCode): boolean {
  if (value === expected) return true;
  if (!isFloat(dataType)) return false;
  return Math.abs(value - expected) <= (TOLERANCE.get(dataType) ?? FLOAT_TOLERANCE) * Math.abs(expected);
}

/** One element of a type, as an array to take the bytes of. 64-bit integers must be exact as numbers. */
const ELEMENT: ReadonlyMap<DataTypeCode, (value: number) => TypedArray> = new Map<
  DataTypeCode,
  (value: number) => TypedArray
>([
  [DataType.FLOAT, (value) => Float32Array.of(value)],
  [DataType.DOUBLE, (value) => Float64Array.of(value)],
  [DataType.FLOAT16, (value) => Uint16Array.of(toFloat16(value))],
  [DataType.BFLOAT16, (value) => Uint16Array.of(toBfloat16(value))],
  [DataType.INT64, (value) => BigInt64Array.of(BigInt(value))],
  [DataType.UINT64, (value) => BigUint64Array.of(BigInt(value))],
  [DataType.INT32, (value) => Int32Array.of(value)],
  [DataType.UINT32, (value) => Uint32Array.of(value)],
  [DataType.INT16, (value) => Int16Array.of(value)],
  [DataType.UINT16, (value) => Uint16Array.of(value)],
  [DataType.INT8, (value) => Int8Array.of(value)],
  [DataType.UINT8, (value) => Uint8Array.of(value)],
]);

/** A tensor with the same number in every place; undefined for a type that is not made here. */
export function filledTensor(value: number, dataType: DataTypeCode, dims: readonly number[] = []): Tensor | undefined {
  const element = ELEMENT.get(dataType)?.(value);
  return element && repeatedTensor(Tensor.of(dataType, [], bytesOf(element)), dims);
}

/** A tensor of one element as one of many. */
export function repeatedTensor(tensor: Tensor, dims: readonly number[]): Tensor {
  const element = tensor.bytes();
  const bytes = new Uint8Array(element.length * elementCount(dims));
  for (let at = 0; at < bytes.length; at += element.length) bytes.set(element, at);
  return Tensor.of(tensor.dataType, dims, bytes);
}
