import { runMagnitudes } from '../../tensor/scaled-tensor.js';
import { inputScaling, type LinearInput } from './linear-input.js';

/** By how much the spread may grow: less is not worth the nodes. */
const TOLERANCE = 1.1;

/**
 * True when the largest weights of the input channels lie further apart with a factor each than without. One scale serves all input channels
 * of an INT8 layer, both in its weights and in the tensor it reads, so that the smaller ones lose steps.
 */
export function worsensSpread({ node, weight, axis }: LinearInput, factor: Float64Array): boolean {
  if (factor.every((f) => Math.abs(f) === Math.abs(factor[0] as number))) return false;
  const layout = inputScaling(
    node,
    weight,
    Float64Array.from({ length: axis.channels }, (_, channel) => channel),
  );
  if (typeof layout === 'string') return true;
  const channels = layout.factors;
  const magnitudes = new Float64Array(axis.channels);
  for (const [run, magnitude] of runMagnitudes(weight, channels.length, layout.inner).entries()) {
    const channel = channels[run] as number;
    magnitudes[channel] = Math.max(magnitudes[channel] as number, magnitude);
  }
  const scaled = magnitudes.map((magnitude, channel) => magnitude * Math.abs(factor[channel] as number));
  return spread(scaled) > spread(magnitudes) * TOLERANCE;
}

/** Largest over smallest, of those that are not 0. */
function spread(magnitudes: Float64Array): number {
  const present = magnitudes.filter((magnitude) => magnitude > 0);
  return present.length === 0 ? 1 : present.reduce((a, b) => Math.max(a, b)) / present.reduce((a, b) => Math.min(a, b));
}
