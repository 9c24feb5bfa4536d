import { factorCholesky, solveCholesky } from '../../tensor/cholesky.js';

/** Added to the diagonal, as a share of its mean. */
const DAMPING = 0.01;

/**
 * What it costs a layer to lose some of its inputs when the others are fitted anew: the least Σ(y − y′)² over the samples,
 * tr(W_Sᵀ ((H⁻¹)_SS)⁻¹ W_S) with H = Σ x·xᵀ (structured optimal brain surgeon; Frantar, Kuznedelev and Alistarh 2023).
 * @param weights inputs × outputs
 * @param gram H, inputs × inputs; overwritten
 * @param sets the inputs of each unit
 * @returns undefined where H is not finite or all zero
 */
export function removalCosts(
  weights: Float64Array,
  gram: Float64Array,
  inputs: number,
  sets: readonly (readonly number[])[],
): Float64Array | undefined {
  const inverse = invert(gram, inputs);
  if (!inverse) return undefined;
  const outputs = weights.length / inputs;
  return Float64Array.from(sets, (set) => {
    const size = set.length;
    const block = new Float64Array(size * size);
    for (let a = 0; a < size; a++)
      for (let b = 0; b < size; b++)
        block[a * size + b] = inverse[(set[a] as number) * inputs + (set[b] as number)] as number;
    if (!factorCholesky(block, size)) return Number.POSITIVE_INFINITY;
    let cost = 0;
    const solved = new Float64Array(size);
    for (let output = 0; output < outputs; output++) {
      // |L⁻¹ w|² is wᵀ (L·Lᵀ)⁻¹ w.
      for (let a = 0; a < size; a++) {
        let value = weights[(set[a] as number) * outputs + output] as number;
        for (let b = 0; b < a; b++) value -= (block[a * size + b] as number) * (solved[b] as number);
        solved[a] = value / (block[a * size + a] as number);
        cost += (solved[a] as number) ** 2;
      }
    }
    return cost;
  });
}

/** The damped inverse of a symmetric matrix. */
function invert(gram: Float64Array, n: number): Float64Array | undefined {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i] as number;
  const damping = (DAMPING * trace) / n;
  if (!(damping > 0) || !Number.isFinite(damping)) return undefined;
  for (let i = 0; i < n; i++) gram[i * n + i] = (gram[i * n + i] as number) + damping;
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  return solveCholesky(gram, n, inverse, n) ? inverse : undefined;
}
