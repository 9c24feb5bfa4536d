import type { SparsePattern } from '../weight-masks.js';
import { factorCholesky } from './least-squares.js';

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
  const upper = inverseFactor(gram, inputs);
  if (!upper) return undefined;
  let zeros = 0;
  const step = wish.pattern?.of ?? BLOCK;
  for (let start = 0; start < inputs; start += step) {
    const end = Math.min(inputs, start + step);
    const gone = chosen(weights, upper, inputs, outputs, start, end, wish);
    for (let i = start; i < end; i++) {
      const diagonal = upper[i * inputs + i] as number;
      for (let o = 0; o < outputs; o++) {
        if (gone[(i - start) * outputs + o] === 0) continue;
        const error = (weights[i * outputs + o] as number) / diagonal;
        weights[i * outputs + o] = 0;
        zeros++;
        if (error === 0) continue;
        for (let j = i + 1; j < inputs; j++) {
          const at = j * outputs + o;
          weights[at] = (weights[at] as number) - error * (upper[i * inputs + j] as number);
        }
      }
    }
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

/** The upper factor U of the inverse of a matrix A: A⁻¹ = UᵀU, by way of A = R·Rᵀ with R = U⁻¹ upper. Overwrites A. */
function inverseFactor(a: Float64Array, n: number): Float64Array | undefined {
  const turned = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) turned[(n - 1 - i) * n + (n - 1 - j)] = a[i * n + j] as number;
  if (!factorCholesky(turned, n)) return undefined;
  const r = a;
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) r[i * n + j] = turned[(n - 1 - i) * n + (n - 1 - j)] as number;
  const u = turned.fill(0);
  // Row by row from the last: U[i, :] = (e_i − Σ_{k>i} R[i, k]·U[k, :]) / R[i, i].
  for (let i = n - 1; i >= 0; i--) {
    const row = u.subarray(i * n, (i + 1) * n);
    row[i] = 1;
    for (let k = i + 1; k < n; k++) {
      const factor = r[i * n + k] as number;
      if (factor === 0) continue;
      const other = u.subarray(k * n, (k + 1) * n);
      for (let j = k; j < n; j++) row[j] = (row[j] as number) - factor * (other[j] as number);
    }
    const diagonal = r[i * n + i] as number;
    for (let j = i; j < n; j++) row[j] = (row[j] as number) / diagonal;
  }
  return u;
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
