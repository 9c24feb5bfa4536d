import type { Shape } from '../../../ir/type.js';
import { numericDims } from '../../../ops/infer/elements.js';
import { sameDim, sameShape } from '../../types.js';

/** Products with more rows are compared by their shapes only. */
const MOST_ROWS = 2 ** 18;

/** Which row of A and which matrix of B make each row of a product, counted through in memory. */
interface RowPlan {
  readonly rows: Int32Array;
  readonly matrices: Int32Array;
}

/**
 * True when MatMul of tensors of shapes `a` and `b` computes the same rows in the same order as one of `viewedA` and
 * `viewedB`, where these hold the same elements as they do.
 */
export function sameProducts(a: Shape, b: Shape, viewedA: Shape, viewedB: Shape): boolean {
  if (!a || !b || !viewedA || !viewedB) return false;
  const [matrix, viewedMatrix] = [matrixOf(b), matrixOf(viewedB)];
  if (!sameDim(a.at(-1), viewedA.at(-1)) || !sameShape(matrix, viewedMatrix) || !sameDim(a.at(-1), matrix?.[0]))
    return false;
  if (onlyOne(b) && onlyOne(viewedB)) return true;
  const batches = sameShape(a.slice(0, -2), b.slice(0, -2)) && sameShape(viewedA.slice(0, -2), viewedB.slice(0, -2));
  if (batches && a.length > 1 && viewedA.length > 1 && sameDim(a.at(-2), viewedA.at(-2))) return true;
  const now = rowPlan(a, b);
  const then = rowPlan(viewedA, viewedB);
  return now !== undefined && then !== undefined && equal(now.rows, then.rows) && equal(now.matrices, then.matrices);
}

/** Rows and columns of the matrices in B; a vector is one column. */
function matrixOf(b: NonNullable<Shape>): Shape {
  const [last] = b.slice(-1);
  return b.length === 1 ? [last, 1] : b.slice(-2);
}

function onlyOne(b: NonNullable<Shape>): boolean {
  return b.slice(0, -2).every((dim) => dim === 1);
}

function rowPlan(a: Shape, b: Shape): RowPlan | undefined {
  const [left, right] = [numericDims(a), numericDims(b)];
  if (!left || !right) return undefined;
  const height = left.length === 1 ? 1 : (left.at(-2) ?? 1);
  const [batchA, batchB] = [left.slice(0, -2), right.slice(0, -2)];
  const rank = Math.max(batchA.length, batchB.length);
  const pad = (dims: readonly number[]) => [...new Array<number>(rank - dims.length).fill(1), ...dims];
  const [x, y] = [pad(batchA), pad(batchB)];
  const batch = x.map((dim, axis) => (dim === 1 ? (y[axis] ?? 1) : dim));
  if (batch.some((dim, axis) => (x[axis] !== 1 && x[axis] !== dim) || (y[axis] !== 1 && y[axis] !== dim)))
    return undefined;
  const products = batch.reduce((count, dim) => count * dim, 1);
  if (products * height > MOST_ROWS) return undefined;
  const rows = new Int32Array(products * height);
  const matrices = new Int32Array(products * height);
  for (let product = 0; product < products; product++) {
    const [own, other] = [place(product, batch, x), place(product, batch, y)];
    for (let row = 0; row < height; row++) {
      rows[product * height + row] = own * height + row;
      matrices[product * height + row] = other;
    }
  }
  return { rows, matrices };
}

/** Where element `index` of a tensor of shape `batch` comes from in one of shape `dims` that is broadcast to it. */
function place(index: number, batch: readonly number[], dims: readonly number[]): number {
  let rest = index;
  let at = 0;
  let stride = 1;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const size = batch[axis] as number;
    const own = dims[axis] as number;
    if (own !== 1) at += (rest % size) * stride;
    stride *= own;
    rest = Math.floor(rest / size);
  }
  return at;
}

function equal(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
