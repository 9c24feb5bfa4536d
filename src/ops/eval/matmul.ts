/** Matrix products of small matrices: sums in float64 (integers exactly), rounded once. */
import { type DataTypeCode, isFloat } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, bigintTensor, numbersOf, numberTensor } from './lane.js';
import { permuted } from './layout.js';
import { viewedTensor } from './moved-tensor.js';
import { broadcastView } from './strided-view.js';

/** Multiplications beyond which ONNX Runtime should do it. */
export const MOST_PRODUCTS = 2 ** 26;

function matMul(context: KernelContext): Tensor {
  const a = context.input(0);
  const b = context.input(1);
  if (a.rank === 0 || b.rank === 0) refuse('a scalar is not a matrix');
  const left = a.rank === 1 ? a.reshaped([1, a.size]) : a;
  const right = b.rank === 1 ? b.reshaped([b.size, 1]) : b;
  const batch = broadcastDims([left.dims.slice(0, -2), right.dims.slice(0, -2)]);
  const [rows, inner] = left.dims.slice(-2) as [number, number];
  const [depth, columns] = right.dims.slice(-2) as [number, number];
  if (inner !== depth) refuse(`sizes ${inner} and ${depth} of the matrices do not match`);
  const count = elementCount(batch);
  if (count * rows * columns * Math.max(inner, 1) > MOST_PRODUCTS) refuse('the product is too large');
  const dims = [...batch, ...(a.rank === 1 ? [] : [rows]), ...(b.rank === 1 ? [] : [columns])];
  context.allow(a.dataType, dims);
  const x = spread(context, left, [...batch, rows, inner]);
  const y = spread(context, right, [...batch, inner, columns]);
  return product(x, y, a.dataType, dims, count, rows, inner, columns);
}

function spread(context: KernelContext, tensor: Tensor, dims: readonly number[]): Tensor {
  return viewedTensor(context, tensor, broadcastView(tensor.dims, dims), dims);
}

function product(
  x: Tensor,
  y: Tensor,
  type: DataTypeCode,
  dims: readonly number[],
  count: number,
  rows: number,
  inner: number,
  columns: number,
): Tensor {
  if (!isFloat(type)) {
    const [a, b] = [bigintsOf(x), bigintsOf(y)];
    const result = new BigInt64Array(count * rows * columns);
    for (let at = 0; at < result.length; at++) {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const matrix = Math.floor(row / rows) * inner;
      let sum = 0n;
      for (let i = 0; i < inner; i++)
        sum += (a[row * inner + i] as bigint) * (b[(matrix + i) * columns + column] as bigint);
      result[at] = sum;
    }
    return bigintTensor(type, dims, result);
  }
  return numberTensor(type, dims, numberProduct(numbersOf(x), numbersOf(y), count, rows, inner, columns));
}

function numberProduct(
  a: Float64Array,
  b: Float64Array,
  count: number,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const result = new Float64Array(count * rows * columns);
  for (let row = 0; row < count * rows; row++) {
    const matrix = Math.floor(row / rows) * inner;
    for (let i = 0; i < inner; i++) {
      const factor = a[row * inner + i] as number;
      const from = (matrix + i) * columns;
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        result[at] = (result[at] as number) + factor * (b[from + column] as number);
      }
    }
  }
  return result;
}

/** alpha · A · B + beta · C */
function gemm(context: KernelContext): Tensor {
  const a = matrix(context, 0, context.flag('transA'));
  const b = matrix(context, 1, context.flag('transB'));
  const c = context.optional(2);
  const [rows, inner] = a.dims as [number, number];
  const [depth, columns] = b.dims as [number, number];
  if (inner !== depth) refuse(`sizes ${inner} and ${depth} of the matrices do not match`);
  if (rows * columns * Math.max(inner, 1) > MOST_PRODUCTS) refuse('the product is too large');
  if (!isFloat(a.dataType)) refuse('integers times float factors are not supported');
  const dims = [rows, columns];
  context.allow(a.dataType, dims);
  if (c && broadcastDims([dims, c.dims]).some((dim, axis) => dim !== dims[axis])) refuse('C does not fit the product');
  const result = numberProduct(numbersOf(a), numbersOf(b), 1, rows, inner, columns);
  const [alpha, beta] = [context.requiredFloat('alpha'), context.requiredFloat('beta')];
  const added = c && beta !== 0 ? numbersOf(spread(context, c, dims)) : undefined;
  for (let i = 0; i < result.length; i++)
    result[i] = alpha * (result[i] as number) + (added ? beta * (added[i] as number) : 0);
  return numberTensor(a.dataType, dims, result);
}

function matrix(context: KernelContext, slot: number, isTransposed: boolean): Tensor {
  const tensor = context.input(slot);
  if (tensor.rank !== 2) refuse(`input ${slot} has rank ${tensor.rank}, not 2`);
  return isTransposed ? permuted(context, tensor, [1, 0]) : tensor;
}

/** By elimination, with the largest element of each column as pivot. */
function determinant(context: KernelContext): Tensor {
  const data = context.input(0);
  const [rows = 0, columns] = data.dims.slice(-2);
  if (data.rank < 2 || rows !== columns) refuse('the input must be square matrices');
  if (data.size * rows > MOST_PRODUCTS) refuse('the matrices are too large');
  const lane = numbersOf(data);
  const dims = data.dims.slice(0, -2);
  const size = rows * rows;
  const results = Float64Array.from({ length: elementCount(dims) }, (_, at) =>
    eliminated(lane.subarray(at * size, (at + 1) * size), rows),
  );
  return numberTensor(data.dataType, dims, results);
}

function eliminated(matrix: Float64Array, rows: number): number {
  let result = 1;
  for (let step = 0; step < rows; step++) {
    let pivot = step;
    for (let row = step + 1; row < rows; row++)
      if (Math.abs(matrix[row * rows + step] as number) > Math.abs(matrix[pivot * rows + step] as number)) pivot = row;
    const value = matrix[pivot * rows + step] as number;
    if (value === 0) return 0;
    result *= pivot === step ? value : -value;
    for (let column = 0; column < rows; column++) {
      const kept = matrix[step * rows + column] as number;
      matrix[step * rows + column] = matrix[pivot * rows + column] as number;
      matrix[pivot * rows + column] = kept;
    }
    for (let row = step + 1; row < rows; row++) {
      const factor = (matrix[row * rows + step] as number) / value;
      for (let column = step; column < rows; column++) {
        const at = row * rows + column;
        matrix[at] = (matrix[at] as number) - factor * (matrix[step * rows + column] as number);
      }
    }
  }
  return result;
}

export const matmulKernels: KernelTable = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Det', determinant],
];
