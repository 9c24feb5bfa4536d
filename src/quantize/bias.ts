/** INT32 biases: zero point 0 and scale = input scale × weight scale, as integer kernels accumulate. */
import { roundHalfEven } from '../tensor/round-half-even.js';
import { SMALLEST_NORMAL } from './scheme.js';
import type { WeightParameters } from './weights.js';

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
/** How much larger than strictly needed an adjusted scale is. */
const MARGIN = 1.0001;

/** Float32 scales of a bias, one for each weight scale. */
export function biasScales(inputScale: number, weightScales: Float32Array): Float32Array {
  return weightScales.map((scale) => Math.fround(inputScale * scale));
}

/** Bias divided by its scale (one, or one an element), rounded half to even, clipped to INT32. */
export function quantizeBias(bias: Float32Array, scales: Float32Array): Int32Array {
  const perTensor = scales.length === 1;
  const quantized = new Int32Array(bias.length);
  for (let i = 0; i < bias.length; i++) {
    const value = roundHalfEven((bias[i] as number) / (scales[perTensor ? 0 : i] as number));
    quantized[i] = Math.min(Math.max(value, INT32_MIN), INT32_MAX);
  }
  return quantized;
}

/**
 * Weight scales for which the bias fits INT32: raised where input scale × weight scale is too small (ONNX Runtime
 * `_adjust_weight_scale_for_int32_bias`). A channel in `empty` has no weights but zeros, so its scale is free: it is the smallest for which
 * the bias fits, so that the bias keeps 31 bits. `bias` has one element a weight scale, or any number when there is one weight
 * scale. Returns the same array when nothing had to change.
 */
export function weightScalesForBias(
  inputScale: number,
  weightScales: Float32Array,
  bias: Float32Array,
  empty: ReadonlySet<number> = new Set(),
): Float32Array {
  const quantizedRange = INT32_MAX - (INT32_MIN + 1);
  const single = weightScales.length === 1;
  let adjusted = weightScales;
  for (let channel = 0; channel < weightScales.length; channel++) {
    // NumPy works in float64 on the maximum of a whole bias but in float32 on one element of it.
    const magnitude = single ? absoluteMaximum(bias) : Math.abs(bias[channel] ?? 0);
    const widened = single ? MARGIN * (2 * magnitude) : Math.fround(Math.fround(MARGIN) * Math.fround(2 * magnitude));
    const smallest = widened / quantizedRange;
    const scale = weightScales[channel] as number;
    const candidate = inputScale * scale;
    const free = empty.has(channel) && smallest >= SMALLEST_NORMAL;
    if (!free && (candidate >= smallest || candidate <= 0)) continue;
    if (adjusted === weightScales) adjusted = weightScales.slice();
    adjusted[channel] = Math.fround(scale * (smallest / candidate));
  }
  return adjusted;
}

/** Parameters of a weight for which the bias beside it fits INT32. Asymmetric ones stay: their zero points go with their scales. */
export function parametersForBias(
  inputScale: number,
  parameters: WeightParameters,
  bias: Float32Array,
): WeightParameters {
  if (!parameters.scheme.symmetric) return parameters;
  const scales = weightScalesForBias(inputScale, parameters.scales, bias, parameters.emptyChannels);
  return scales === parameters.scales ? parameters : { ...parameters, scales };
}

function absoluteMaximum(values: Float32Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}
