import { solveCholesky } from '../../tensor/cholesky.js';
import { matrixProduct } from '../../tensor/matrix-product.js';

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
export const RIDGE = 0.01;

/**
 * The weights and bias of the least squared error, held to the given weights where the data says nothing:
 * argmin Σ|y − Wᵀx − b|² + λ|W − W₀|², λ = `share` (1 %) of the mean of the diagonal of the centred Gram matrix.
 * @returns undefined where the sums are not finite or there is no data
 */
export function fitLinear(sums: NormalSums, given: LinearFit, withBias: boolean, share = RIDGE): LinearFit | undefined {
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
  const ridge = (share * trace) / inputs;
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
  // −G·W, for Σ|Wᵀx|² = Σ W∘(G·W).
  const product = new Float64Array(inputs * outputs);
  const block = (data: Float64Array, stride: number) => ({ data, at: 0, stride });
  matrixProduct()(block(product, outputs), block(gram, inputs), block(weights, outputs), inputs, inputs, outputs);
  let error = 0;
  for (let i = 0, at = 0; i < inputs; i++)
    for (let o = 0; o < outputs; o++, at++)
      error -=
        (weights[at] as number) *
        ((product[at] as number) + 2 * (cross[at] as number) - 2 * (bias[o] as number) * (sumX[i] as number));
  for (let o = 0; o < outputs; o++) {
    const b = bias[o] as number;
    error += (energy[o] as number) - 2 * b * (sumY[o] as number) + rows * b * b;
  }
  return Math.max(0, error);
}
