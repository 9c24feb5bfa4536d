/**
 * Systems with a symmetric positive definite matrix, as least squares and second-order methods of pruning and quantization have them.
 * Matrices are float64, row by row. Everything is split in halves until nearly all work is products of matrices (Elmroth et al. 2004,
 * "Recursive Blocked Algorithms"), which `matrixProduct` computes in SIMD: 4,608 unknowns take seconds.
 */
import { type Block, matrixProduct, type SubtractProduct } from './matrix-product.js';

/** What is left when a triangle is small enough for plain loops. */
const SMALL = 32;

/** How the functions of this file compute; for tests. */
export interface CholeskyOptions {
  /** In place of the product in SIMD. */
  readonly product?: SubtractProduct;
}

/**
 * Factors A = L·Lᵀ in place. Only the lower half of A is read and replaced by L; the upper half is lost.
 * @param a n × n
 * @returns false where A is not positive definite, or not finite; A is lost then
 */
export function factorCholesky(
  a: Float64Array,
  n: number,
  { product = matrixProduct() }: CholeskyOptions = {},
): boolean {
  return factor(new Triangle(a, n, product), 0, n);
}

/**
 * Solves A·X = B in place of B.
 * @param a n × n, symmetric; its lower half is replaced by the factor, the upper half is lost
 * @param b n × m
 * @returns false where A is not positive definite, or not finite; A and B are lost then
 */
export function solveCholesky(
  a: Float64Array,
  n: number,
  b: Float64Array,
  m: number,
  options: CholeskyOptions = {},
): boolean {
  const { product = matrixProduct() } = options;
  if (!factorCholesky(a, n, options)) return false;
  const lower = new Triangle(a, n, product);
  const right = { data: b, at: 0, stride: m };
  solveLower(lower, 0, n, right, m);
  solveTransposed(lower, 0, n, right, m);
  return true;
}

/**
 * The upper factor U of an inverse, A⁻¹ = Uᵀ·U, in place of A: what optimal brain surgeon (SparseGPT) and GPTQ go by. Row i of U says
 * how the unknowns from i on make up for a change of unknown i: by U[i, j] / U[i, i].
 * @param a n × n, symmetric; the lower half becomes zero
 * @returns false where A is not positive definite, or not finite; A is lost then
 */
export function invertToUpper(
  a: Float64Array,
  n: number,
  { product = matrixProduct() }: CholeskyOptions = {},
): boolean {
  // Read backwards, A is J·A·J = L·Lᵀ, so that A = R·Rᵀ with R = J·L·J upper, and U = R⁻¹ = J·L⁻¹·J.
  a.reverse();
  const lower = new Triangle(a, n, product);
  if (!factor(lower, 0, n)) return false;
  invert(lower, 0, n);
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
  a.reverse();
  return true;
}

/** A square matrix of which the lower half counts. */
class Triangle {
  readonly data: Float64Array;
  readonly size: number;
  readonly product: SubtractProduct;

  constructor(data: Float64Array, size: number, product: SubtractProduct) {
    this.data = data;
    this.size = size;
    this.product = product;
  }

  block(i: number, j: number): Block {
    return { data: this.data, at: i * this.size + j, stride: this.size };
  }

  turned(i: number, j: number): Block {
    return { ...this.block(i, j), turned: true };
  }
}

function middle(start: number, end: number): number {
  return start + Math.ceil((end - start) / 2 / SMALL) * SMALL;
}

function factor(a: Triangle, start: number, end: number): boolean {
  if (end - start <= SMALL) return factorSmall(a, start, end);
  const half = middle(start, end);
  if (!factor(a, start, half)) return false;
  divideByTransposed(a, start, half, a.block(half, start), end - half);
  // A₂₂ − L₂₁·L₂₁ᵀ, but for what is above the diagonal.
  const step = 128;
  for (let row = half; row < end; row += step) {
    const rows = Math.min(step, end - row);
    a.product(a.block(row, half), a.block(row, start), a.turned(half, start), rows, half - start, row + rows - half);
  }
  return factor(a, half, end);
}

function factorSmall({ data, size }: Triangle, start: number, end: number): boolean {
  for (let i = start; i < end; i++)
    for (let j = start; j <= i; j++) {
      let sum = data[i * size + j] as number;
      for (let k = start; k < j; k++) sum -= (data[i * size + k] as number) * (data[j * size + k] as number);
      if (i > j) data[i * size + j] = sum / (data[j * size + j] as number);
      else if (sum > 0 && sum < Number.POSITIVE_INFINITY) data[i * size + i] = Math.sqrt(sum);
      else return false;
    }
  return true;
}

/** X·Lᵀ = C in place of C, `rows` × (end − start). */
function divideByTransposed(lower: Triangle, start: number, end: number, c: Block, rows: number): void {
  const { data, size, product } = lower;
  if (end - start > SMALL) {
    const half = middle(start, end);
    const rest = { ...c, at: c.at + half - start };
    divideByTransposed(lower, start, half, c, rows);
    product(rest, c, lower.turned(half, start), rows, half - start, end - half);
    divideByTransposed(lower, half, end, rest, rows);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const first = c.at + row * c.stride - start;
    for (let j = start; j < end; j++) {
      let sum = c.data[first + j] as number;
      for (let k = start; k < j; k++) sum -= (c.data[first + k] as number) * (data[j * size + k] as number);
      c.data[first + j] = sum / (data[j * size + j] as number);
    }
  }
}

/** X·L = C in place of C, `rows` × (end − start). */
function divideBy(lower: Triangle, start: number, end: number, c: Block, rows: number): void {
  const { data, size, product } = lower;
  if (end - start > SMALL) {
    const half = middle(start, end);
    const rest = { ...c, at: c.at + half - start };
    divideBy(lower, half, end, rest, rows);
    product(c, rest, lower.block(half, start), rows, end - half, half - start);
    divideBy(lower, start, half, c, rows);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const first = c.at + row * c.stride - start;
    for (let j = end - 1; j >= start; j--) {
      let sum = c.data[first + j] as number;
      for (let k = j + 1; k < end; k++) sum -= (c.data[first + k] as number) * (data[k * size + j] as number);
      c.data[first + j] = sum / (data[j * size + j] as number);
    }
  }
}

/** L·X = B in place of B, (end − start) × `columns`. */
function solveLower(lower: Triangle, start: number, end: number, b: Block, columns: number): void {
  const { data, size, product } = lower;
  if (end - start > SMALL) {
    const half = middle(start, end);
    const rest = { ...b, at: b.at + (half - start) * b.stride };
    solveLower(lower, start, half, b, columns);
    product(rest, lower.block(half, start), b, end - half, half - start, columns);
    solveLower(lower, half, end, rest, columns);
    return;
  }
  for (let i = start; i < end; i++) {
    const row = b.at + (i - start) * b.stride;
    for (let k = start; k < i; k++)
      subtractRow(b.data, row, b.at + (k - start) * b.stride, data[i * size + k] as number, columns);
    divideRow(b.data, row, data[i * size + i] as number, columns);
  }
}

/** Lᵀ·X = B in place of B, (end − start) × `columns`. */
function solveTransposed(lower: Triangle, start: number, end: number, b: Block, columns: number): void {
  const { data, size, product } = lower;
  if (end - start > SMALL) {
    const half = middle(start, end);
    const rest = { ...b, at: b.at + (half - start) * b.stride };
    solveTransposed(lower, half, end, rest, columns);
    product(b, lower.turned(half, start), rest, half - start, end - half, columns);
    solveTransposed(lower, start, half, b, columns);
    return;
  }
  for (let i = end - 1; i >= start; i--) {
    const row = b.at + (i - start) * b.stride;
    for (let k = i + 1; k < end; k++)
      subtractRow(b.data, row, b.at + (k - start) * b.stride, data[k * size + i] as number, columns);
    divideRow(b.data, row, data[i * size + i] as number, columns);
  }
}

function subtractRow(data: Float64Array, row: number, other: number, factor: number, columns: number): void {
  for (let o = 0; o < columns; o++) data[row + o] = (data[row + o] as number) - factor * (data[other + o] as number);
}

function divideRow(data: Float64Array, row: number, by: number, columns: number): void {
  for (let o = 0; o < columns; o++) data[row + o] = (data[row + o] as number) / by;
}

/** L⁻¹ in place of L. */
function invert(lower: Triangle, start: number, end: number): void {
  if (end - start <= SMALL) {
    invertSmall(lower, start, end);
    return;
  }
  const half = middle(start, end);
  const corner = lower.block(half, start);
  // Below: −L₂₂⁻¹·L₂₁·L₁₁⁻¹, with the two as they still are.
  solveLower(lower, half, end, corner, half - start);
  divideBy(lower, start, half, corner, end - half);
  for (let i = half; i < end; i++)
    for (let j = start; j < half; j++) lower.data[i * lower.size + j] = -(lower.data[i * lower.size + j] as number);
  invert(lower, start, half);
  invert(lower, half, end);
}

function invertSmall({ data, size }: Triangle, start: number, end: number): void {
  for (let j = start; j < end; j++) {
    data[j * size + j] = 1 / (data[j * size + j] as number);
    for (let i = j + 1; i < end; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= (data[i * size + k] as number) * (data[k * size + j] as number);
      data[i * size + j] = sum / (data[i * size + i] as number);
    }
  }
}
