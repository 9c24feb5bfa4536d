/** Sums over all rows of a layer's inputs x and the outputs y that it should have, of one group: K inputs, O outputs. */
export interface NormalSums {
  readonly inputs: number;
  readonly outputs: number;
  /** Σ x·xᵀ, K × K. */
  readonly gram: Float64Array;
  /** Σ x·yᵀ, K × O. */
  readonly cross: Float64Array;
  /** Σ x. */
  readonly sumX: Float64Array;
  /** Σ y. */
  readonly sumY: Float64Array;
  /** Σ y², one for each output. */
  readonly energy: Float64Array;
  readonly rows: number;
}

/** Weights K × O and a bias. */
export interface LinearFit {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** Weight of the distance to the given weights, as a share of the mean square of an input. */
const RIDGE = 0.01;

/**
 * The weights and bias of the least squared error, held to the given weights where the data says nothing:
 * argmin Σ|y − Wᵀx − b|² + λ|W − W₀|², λ = 1 % of the mean of the diagonal of the centred Gram matrix.
 * @returns undefined where the sums are not finite or there is no data
 */
export function fitLinear(sums: NormalSums, given: LinearFit, withBias: boolean): LinearFit | undefined {
  const { inputs, outputs, gram, cross, sumX, sumY, rows } = sums;
  if (rows === 0) return undefined;
  const matrix = withBias ? centredGram(sums) : new Float64Array(gram);
  const right = new Float64Array(cross);
  if (withBias) {
    for (let i = 0; i < inputs; i++) {
      const mean = (sumX[i] as number) / rows;
      for (let o = 0; o < outputs; o++)
        right[i * outputs + o] = (right[i * outputs + o] as number) - mean * (sumY[o] as number);
    }
  }
  let trace = 0;
  for (let i = 0; i < inputs; i++) trace += matrix[i * inputs + i] as number;
  const ridge = (RIDGE * trace) / inputs;
  if (!(ridge > 0) || !Number.isFinite(ridge)) return undefined;
  for (let i = 0; i < inputs; i++) {
    matrix[i * inputs + i] = (matrix[i * inputs + i] as number) + ridge;
    for (let o = 0; o < outputs; o++)
      right[i * outputs + o] = (right[i * outputs + o] as number) + ridge * (given.weights[i * outputs + o] as number);
  }
  if (!solveCholesky(matrix, inputs, right, outputs)) return undefined;
  const bias = withBias ? fittingBias(sums, right) : new Float64Array(given.bias);
  return right.every(Number.isFinite) ? { weights: right, bias } : undefined;
}

/** Σ (x − x̄)(x − x̄)ᵀ. */
export function centredGram({ inputs, gram, sumX, rows }: NormalSums): Float64Array {
  const matrix = new Float64Array(gram);
  for (let i = 0; i < inputs; i++) {
    const mean = (sumX[i] as number) / rows;
    for (let j = 0; j < inputs; j++)
      matrix[i * inputs + j] = (matrix[i * inputs + j] as number) - mean * (sumX[j] as number);
  }
  return matrix;
}

/** The bias of the least squared error for given weights: ȳ − Wᵀx̄. */
export function fittingBias({ inputs, outputs, sumX, sumY, rows }: NormalSums, weights: Float64Array): Float64Array {
  const bias = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let product = 0;
    for (let i = 0; i < inputs; i++) product += (weights[i * outputs + o] as number) * (sumX[i] as number);
    bias[o] = ((sumY[o] as number) - product) / rows;
  }
  return bias;
}

/** Σ|y − Wᵀx − b|² by the sums alone, and Σ|y|² beside it. */
export function squaredError(sums: NormalSums, { weights, bias }: LinearFit): number {
  const { inputs, outputs, gram, cross, sumX, sumY, energy, rows } = sums;
  let error = 0;
  const product = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    product.fill(0);
    for (let j = 0; j < inputs; j++) {
      const factor = gram[i * inputs + j] as number;
      if (factor === 0) continue;
      for (let o = 0; o < outputs; o++)
        product[o] = (product[o] as number) + factor * (weights[j * outputs + o] as number);
    }
    for (let o = 0; o < outputs; o++) {
      const weight = weights[i * outputs + o] as number;
      error +=
        weight *
        ((product[o] as number) -
          2 * (cross[i * outputs + o] as number) +
          2 * (bias[o] as number) * (sumX[i] as number));
    }
  }
  for (let o = 0; o < outputs; o++) {
    const b = bias[o] as number;
    error += (energy[o] as number) - 2 * b * (sumY[o] as number) + rows * b * b;
  }
  return Math.max(0, error);
}

/** Columns that are factored together. */
const BLOCK = 64;

/**
 * Solves A·X = B in place of B, for a symmetric positive definite A (n × n, overwritten) and B (n × m): blocked Cholesky, row by
 * row so that memory is read in order. @returns false where A is not positive definite
 */
export function solveCholesky(a: Float64Array, n: number, b: Float64Array, m: number): boolean {
  if (!factorCholesky(a, n)) return false;
  for (let i = 0; i < n; i++) {
    const row = b.subarray(i * m, i * m + m);
    for (let k = 0; k < i; k++) subtractScaled(row, b.subarray(k * m, k * m + m), a[i * n + k] as number);
    const diagonal = a[i * n + i] as number;
    for (let o = 0; o < m; o++) row[o] = (row[o] as number) / diagonal;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = b.subarray(i * m, i * m + m);
    for (let k = i + 1; k < n; k++) subtractScaled(row, b.subarray(k * m, k * m + m), a[k * n + i] as number);
    const diagonal = a[i * n + i] as number;
    for (let o = 0; o < m; o++) row[o] = (row[o] as number) / diagonal;
  }
  return true;
}

function subtractScaled(row: Float64Array, other: Float64Array, factor: number): void {
  if (factor === 0) return;
  for (let o = 0; o < row.length; o++) row[o] = (row[o] as number) - factor * (other[o] as number);
}

/** The lower factor of A in its lower half. */
export function factorCholesky(a: Float64Array, n: number): boolean {
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(n, start + BLOCK);
    for (let i = start; i < n; i++) {
      const rowI = i * n;
      for (let j = start; j < Math.min(end, i + 1); j++) {
        const rowJ = j * n;
        let sum = a[rowI + j] as number;
        for (let k = start; k < j; k++) sum -= (a[rowI + k] as number) * (a[rowJ + k] as number);
        if (i === j) {
          if (!(sum > 0)) return false;
          a[rowI + j] = Math.sqrt(sum);
        } else a[rowI + j] = sum / (a[rowJ + j] as number);
      }
    }
    for (let i = end; i < n; i++) {
      const rowI = i * n;
      for (let j = end; j <= i; j++) {
        const rowJ = j * n;
        let sum = 0;
        for (let k = start; k < end; k++) sum += (a[rowI + k] as number) * (a[rowJ + k] as number);
        a[rowI + j] = (a[rowI + j] as number) - sum;
      }
    }
  }
  return true;
}
