import { invertToUpper } from '../../tensor/cholesky.js';
import { matrixProduct } from '../../tensor/matrix-product.js';
import type { SparsePattern } from '../weight-masks.js';

/** Which weights of a layer go: a share of them, or all but N of every M. */
export interface SparsityWish {
  /** Share from 0 to 1; of each block of inputs. */
  readonly amount: number;
  readonly pattern?: SparsePattern | undefined;
}

/** Added to the diagonal, as a share of its mean. */
const DAMPING = 0.01;
/** Inputs that a share is taken of at once. */
const BLOCK = 128;

/**
 * Sets weights to zero one input after the other and makes up for each by those of the inputs after it (optimal brain surgeon, as
 * SparseGPT orders it: Frantar and Alistarh 2023). Changes `weights` in place.
 * @param weights inputs × outputs
 * @param gram Σ x·xᵀ, inputs × inputs; overwritten
 * @returns how many weights became zero; undefined where the samples do not tell (no finite positive definite matrix)
 */
export function surgeonPrune(
  weights: Float64Array,
  gram: Float64Array,
  inputs: number,
  wish: SparsityWish,
): number | undefined {
  const outputs = weights.length / inputs;
  let trace = 0;
  for (let i = 0; i < inputs; i++) {
    trace += gram[i * inputs + i] as number;
    if (gram[i * inputs + i] === 0) {
      gram[i * inputs + i] = 1;
      weights.fill(0, i * outputs, (i + 1) * outputs);
    }
  }
  const damping = (DAMPING * trace) / inputs;
  if (!(damping > 0) || !Number.isFinite(damping)) return undefined;
  for (let i = 0; i < inputs; i++) gram[i * inputs + i] = (gram[i * inputs + i] as number) + damping;
  if (!invertToUpper(gram, inputs)) return undefined;
  let zeros = 0;
  const step = wish.pattern?.of ?? BLOCK;
  for (let first = 0; first < inputs; ) {
    // Whole steps, so that what goes is chosen by weights that are up to date.
    const last = Math.min(inputs, first + Math.max(1, Math.floor(BLOCK / step)) * step);
    const errors = new Float64Array((last - first) * outputs);
    for (let start = first; start < last; start += step) {
      const end = Math.min(last, start + step);
      const gone = chosen(weights, gram, inputs, outputs, start, end, wish);
      for (let i = start; i < end; i++) {
        const row = errors.subarray((i - first) * outputs, (i - first + 1) * outputs);
        const own = gone.subarray((i - start) * outputs, (i - start + 1) * outputs);
        zeros += takeAway(weights, row, own, i * outputs, gram[i * inputs + i] as number);
        for (let j = i + 1; j < last; j++) subtractScaled(weights, row, j * outputs, gram[i * inputs + j] as number);
      }
    }
    // What the block's errors do to the inputs after it, at once.
    const tail = { data: weights, at: last * outputs, stride: outputs };
    const factors = { data: gram, at: first * inputs + last, stride: inputs, turned: true };
    const block = { data: errors, at: 0, stride: outputs };
    if (last < inputs) matrixProduct()(tail, factors, block, inputs - last, last - first, outputs);
    first = last;
  }
  return zeros;
}

/** Sets flagged weights of an input to zero; their errors over the diagonal of the factor go into `errors`. @returns how many */
function takeAway(weights: Float64Array, errors: Float64Array, gone: Uint8Array, at: number, diagonal: number): number {
  let zeros = 0;
  for (let o = 0; o < errors.length; o++) {
    if (gone[o] === 0) continue;
    errors[o] = (weights[at + o] as number) / diagonal;
    weights[at + o] = 0;
    zeros++;
  }
  return zeros;
}

function subtractScaled(weights: Float64Array, errors: Float64Array, at: number, factor: number): void {
  if (factor === 0) return;
  for (let o = 0; o < errors.length; o++)
    weights[at + o] = (weights[at + o] as number) - factor * (errors[o] as number);
}

/** Flags of what goes of the inputs from `start` to `end`: those that cost least, w² over the square of the factor's diagonal. */
function chosen(
  weights: Float64Array,
  upper: Float64Array,
  inputs: number,
  outputs: number,
  start: number,
  end: number,
  { amount, pattern }: SparsityWish,
): Uint8Array {
  const count = (end - start) * outputs;
  const costs = new Float64Array(count);
  for (let i = start; i < end; i++) {
    const diagonal = upper[i * inputs + i] as number;
    for (let o = 0; o < outputs; o++)
      costs[(i - start) * outputs + o] = ((weights[i * outputs + o] as number) / diagonal) ** 2;
  }
  const gone = new Uint8Array(count);
  if (pattern === undefined) {
    const limit = Math.round(amount * count);
    if (limit === 0) return gone;
    const threshold = Float64Array.from(costs).sort()[limit - 1] as number;
    let left = limit;
    for (let at = 0; at < count; at++) if ((costs[at] as number) < threshold) [gone[at], left] = [1, left - 1];
    for (let at = 0; at < count && left > 0; at++) if (costs[at] === threshold) [gone[at], left] = [1, left - 1];
    return gone;
  }
  const order = Array.from({ length: end - start }, (_, k) => k);
  for (let o = 0; o < outputs; o++) {
    const ranked = [...order].sort(
      (a, b) => (costs[b * outputs + o] as number) - (costs[a * outputs + o] as number) || a - b,
    );
    for (const k of ranked.slice(pattern.kept)) gone[k * outputs + o] = 1;
  }
  return gone;
}

/**
 * Sets the weights of smallest |w|·‖x‖ of each output to zero, without making up for them (Wanda: Sun et al. 2023).
 * @param gram of which the diagonal is read
 */
export function wandaPrune(weights: Float64Array, gram: Float64Array, inputs: number, wish: SparsityWish): number {
  const outputs = weights.length / inputs;
  const { pattern, amount } = wish;
  const norms = Float64Array.from({ length: inputs }, (_, i) => Math.sqrt(gram[i * inputs + i] as number));
  const cost = (i: number, o: number): number => Math.abs(weights[i * outputs + o] as number) * (norms[i] as number);
  const step = pattern?.of ?? inputs;
  const kept = pattern?.kept ?? inputs - Math.round(amount * inputs);
  let zeros = 0;
  for (let o = 0; o < outputs; o++)
    for (let start = 0; start < inputs; start += step) {
      const members = Array.from({ length: Math.min(step, inputs - start) }, (_, k) => start + k);
      const costs = new Map(members.map((i) => [i, cost(i, o)]));
      members.sort((a, b) => (costs.get(b) as number) - (costs.get(a) as number) || a - b);
      for (const i of members.slice(kept)) {
        weights[i * outputs + o] = 0;
        zeros++;
      }
    }
  return zeros;
}
