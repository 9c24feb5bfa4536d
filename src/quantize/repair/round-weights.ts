import { invertToUpper } from '../../tensor/cholesky.js';
import { passErrorsOn } from '../../tensor/error-feedback.js';

/** The integers that weights of a layer are rounded to, one element an output. */
export interface WeightGrid {
  readonly scales: Float64Array;
  readonly zeroPoints: Float64Array;
  /** The integers of the weights as rounded one by one, K × O: their extremes say which integers an output may have. */
  readonly rounded: Float64Array;
}

/** Added to the diagonal, as a share of its mean. */
const DAMPING = 0.01;

/**
 * Rounds weights so that the error of the layer's outputs is least, not that of each weight: input by input, the weights of the inputs
 * after it make up for what rounding changed (optimal brain surgeon, as GPTQ orders it: Frantar et al. 2022, arXiv 2210.17323).
 * The largest weights of each output keep their integers, so that the scale that is found for the result is the given one.
 * @param weights inputs × outputs
 * @param gram Σ x·xᵀ over the inputs, K × K; overwritten
 * @returns values on the grid, as numbers; undefined where the samples do not tell
 */
export function roundWeights(
  weights: Float64Array,
  gram: Float64Array,
  inputs: number,
  { scales, zeroPoints, rounded }: WeightGrid,
): Float64Array | undefined {
  const outputs = weights.length / inputs;
  let trace = 0;
  for (let i = 0; i < inputs; i++) trace += gram[i * inputs + i] as number;
  const damping = (DAMPING * trace) / inputs;
  if (!(damping > 0) || !Number.isFinite(damping)) return undefined;
  for (let i = 0; i < inputs; i++) gram[i * inputs + i] = (gram[i * inputs + i] as number) + damping;
  if (!invertToUpper(gram, inputs)) return undefined;
  const { low, high } = extremes(rounded, zeroPoints, inputs);
  const left = new Float64Array(weights);
  const result = new Float64Array(weights.length);
  passErrorsOn(left, gram, inputs, (_, first, errors, diagonal) => {
    for (let o = 0, at = first; o < outputs; o++, at++) {
      const [scale, zero] = [scales[o] as number, zeroPoints[o] as number];
      const given = rounded[at] as number;
      const [least, most] = [low[o] as number, high[o] as number];
      const free = Math.min(most, Math.max(least, Math.round((left[at] as number) / scale + zero)));
      result[at] = ((given === least || given === most ? given : free) - zero) * scale;
      errors[o] = ((left[at] as number) - (result[at] as number)) / diagonal;
    }
  });
  return result.every(Number.isFinite) ? result : undefined;
}

/** Smallest and largest integer of each output; as far from zero on both sides where the grid has its zero point there. */
function extremes(
  rounded: Float64Array,
  zeroPoints: Float64Array,
  inputs: number,
): Record<'low' | 'high', Float64Array> {
  const outputs = zeroPoints.length;
  const low = new Float64Array(outputs).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(outputs).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < inputs * outputs; at++) {
    const o = at % outputs;
    low[o] = Math.min(low[o] as number, rounded[at] as number);
    high[o] = Math.max(high[o] as number, rounded[at] as number);
  }
  for (let o = 0; o < outputs; o++) {
    if (zeroPoints[o] !== 0 || (low[o] as number) >= 0) continue;
    high[o] = Math.max(high[o] as number, -(low[o] as number));
    low[o] = -(high[o] as number);
  }
  return { low, high };
}

/** Σ|dᵀx|² over the samples, for a change d of the weights: dᵀ·G·d summed over outputs. */
export function outputError(change: Float64Array, gram: Float64Array, inputs: number): number {
  const outputs = change.length / inputs;
  let error = 0;
  const product = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    product.fill(0);
    for (let j = 0; j < inputs; j++) {
      const factor = gram[i * inputs + j] as number;
      if (factor === 0) continue;
      for (let o = 0, at = j * outputs; o < outputs; o++, at++)
        product[o] = (product[o] as number) + factor * (change[at] as number);
    }
    for (let o = 0; o < outputs; o++) error += (change[i * outputs + o] as number) * (product[o] as number);
  }
  return error;
}
