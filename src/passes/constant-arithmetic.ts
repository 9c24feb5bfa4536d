/** Arithmetic on constants, broadcast as the operators do it. */
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { float64Values, floatFormat, floatTensor } from '../tensor/float-values.js';
import { elementCount, Tensor } from '../tensor/tensor.js';

/** Numbers of a constant: floats exactly, integers within ±2^53. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/** Larger results are not computed: they would be weights, not factors. */
const MAX_NUMBERS = 2 ** 20;
const LEAST_INT32 = -(2 ** 31);
const GREATEST_INT32 = 2 ** 31 - 1;

/** The numbers of a float, INT32 or INT64 constant; undefined for other types and where one is not finite or not exact. */
export function numbersOf(tensor: Tensor): Numbers | undefined {
  if (tensor.size > MAX_NUMBERS) return undefined;
  const isInteger = tensor.dataType === DataType.INT64 || tensor.dataType === DataType.INT32;
  const values = isInteger ? Float64Array.from(tensor.integers()) : float64Values(tensor);
  const exact = isInteger ? Number.isSafeInteger : Number.isFinite;
  return values?.every(exact) ? { dims: tensor.dims, values } : undefined;
}

/** The tensor that holds numbers, rounded once; undefined where the type cannot hold them. */
export function numbersTensor(dataType: DataTypeCode, { dims, values }: Numbers): Tensor | undefined {
  if (dataType === DataType.INT64)
    return values.every(Number.isSafeInteger) ? Tensor.int64([...values], dims) : undefined;
  if (dataType === DataType.INT32) {
    const fits = values.every((v) => Number.isInteger(v) && v >= LEAST_INT32 && v <= GREATEST_INT32);
    return fits ? Tensor.int32(Int32Array.from(values), dims) : undefined;
  }
  const format = floatFormat(dataType);
  return format && values.every((v) => Math.abs(v) <= format.max) ? floatTensor(dataType, values, dims) : undefined;
}

/** `operation` on each pair of elements; undefined where the shapes are not compatible or the result is too large. */
export function combine(a: Numbers, b: Numbers, operation: (x: number, y: number) => number): Numbers | undefined {
  const rank = Math.max(a.dims.length, b.dims.length);
  const dims: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a.dims[axis - rank + a.dims.length] ?? 1;
    const y = b.dims[axis - rank + b.dims.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    dims.push(x === 1 ? y : x);
  }
  const count = elementCount(dims);
  if (count > MAX_NUMBERS) return undefined;
  const left = spread(a, dims);
  const right = spread(b, dims);
  return { dims, values: left.map((x, i) => operation(x, right[i] as number)) };
}

/** The elements of `source` as they stand in a tensor of `dims`. */
function spread(source: Numbers, dims: readonly number[]): Float64Array {
  const count = elementCount(dims);
  if (source.values.length === count) return source.values;
  if (source.values.length === 1) return new Float64Array(count).fill(source.values[0] as number);
  const strides = new Array<number>(dims.length).fill(0);
  const lead = dims.length - source.dims.length;
  for (let axis = source.dims.length - 1, stride = 1; axis >= 0; axis--) {
    const size = source.dims[axis] as number;
    if (size !== 1) strides[lead + axis] = stride;
    stride *= size;
  }
  const result = new Float64Array(count);
  const index = new Array<number>(dims.length).fill(0);
  for (let i = 0, at = 0; i < count; i++) {
    result[i] = source.values[at] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      at -= (strides[axis] as number) * (dims[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}
