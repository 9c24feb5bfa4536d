import { matrixProduct } from './matrix-product.js';

/** Inputs whose errors are passed on together. */
export const FEEDBACK_BATCH = 128;

/**
 * Changes the weights of one input.
 * @param at where they begin among all weights
 * @param errors to be filled with how much each became smaller, over the diagonal; zeros until then
 * @param diagonal of the factor
 */
export type ChangeInput = (input: number, at: number, errors: Float64Array, diagonal: number) => void;

/**
 * Changes the weights of a layer input by input, those of the inputs still to come making up for each change, so that the error of the
 * layer's outputs is least (optimal brain surgeon, in the order and batches of GPTQ: Frantar et al. 2022, arXiv 2210.17323).
 * @param weights inputs × outputs, changed in place: those of an input are up to date when its turn comes
 * @param factor of the inverse of Σ x·xᵀ, as `invertToUpper` gives it, inputs × inputs
 */
export function passErrorsOn(
  weights: Float64Array,
  factor: Float64Array,
  inputs: number,
  change: ChangeInput,
  batch = FEEDBACK_BATCH,
): void {
  const outputs = weights.length / inputs;
  const product = matrixProduct();
  for (let first = 0; first < inputs; first += batch) {
    const last = Math.min(inputs, first + batch);
    const errors = new Float64Array((last - first) * outputs);
    for (let i = first; i < last; i++) {
      const row = errors.subarray((i - first) * outputs, (i - first + 1) * outputs);
      change(i, i * outputs, row, factor[i * inputs + i] as number);
      for (let j = i + 1; j < last; j++) subtractScaled(weights, row, j * outputs, factor[i * inputs + j] as number);
    }
    if (last === inputs) return;
    // What the batch's errors do to the inputs after it, at once.
    const tail = { data: weights, at: last * outputs, stride: outputs };
    const shares = { data: factor, at: first * inputs + last, stride: inputs, turned: true };
    product(tail, shares, { data: errors, at: 0, stride: outputs }, inputs - last, last - first, outputs);
  }
}

function subtractScaled(weights: Float64Array, errors: Float64Array, at: number, share: number): void {
  if (share === 0) return;
  for (let o = 0; o < errors.length; o++) weights[at + o] = (weights[at + o] as number) - share * (errors[o] as number);
}
