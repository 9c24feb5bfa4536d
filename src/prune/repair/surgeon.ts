import { invertToUpper } from '../../tensor/cholesky.js';
import { type ChangeInput, FEEDBACK_BATCH, passErrorsOn } from '../../tensor/error-feedback.js';
import type { SparsePattern } from '../weight-masks.js';

/** Which weights of a layer go: a share of them, or all but N of every M. */
export interface SparsityWish {
  /** Share from 0 to 1; of each block of inputs. */
  readonly amount: number;
  readonly pattern?: SparsePattern | undefined;
}

/** Added to the diagonal, as a share of its mean. */
const DAMPING = 0.01;

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
  // What goes is chosen for whole steps, by weights that are up to date.
  const step = wish.pattern?.of ?? FEEDBACK_BATCH;
  const batch = Math.max(1, Math.floor(FEEDBACK_BATCH / step)) * step;
  let gone: Uint8Array = new Uint8Array(0);
  const change: ChangeInput = (i, at, errors, diagonal) => {
    const within = i % step;
    if (within === 0) gone = chosen(weights, gram, inputs, outputs, i, Math.min(inputs, i + step), wish);
    zeros += takeAway(weights, errors, gone.subarray(within * outputs, (within + 1) * outputs), at, diagonal);
  };
  passErrorsOn(weights, gram, inputs, change, batch);
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
