/** INT32 biases: zero point 0 and scale = input scale × weight scale, as integer kernels accumulate. */
import { roundHalfEven } from './scheme.js';

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
/** How much larger than strictly needed an adjusted scale is. */
const MARGIN = 1.0001;

/** Float32 scales of a bias, one for each weight scale. `factor` is the `alpha` of a Gemm. */
export function biasScales(inputScale: number, weightScales: Float32Array, factor = 1): Float32Array {
  return weightScales.map((scale) => Math.fround(Math.fround(inputScale * scale) * factor));
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
 * Weight scales raised where input scale × weight scale is too small for the bias to fit INT32
 * (ONNX Runtime `_adjust_weight_scale_for_int32_bias`). `bias` has one element a weight scale, or any number when there is
 * one weight scale. Returns the same array when nothing had to change.
 */
export function weightScalesForBias(inputScale: number, weightScales: Float32Array, bias: Float32Array): Float32Array {
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
    if (candidate >= smallest || candidate <= 0) continue;
    if (adjusted === weightScales) adjusted = weightScales.slice();
    adjusted[channel] = Math.fround(scale * (smallest / candidate));
  }
  return adjusted;
}

function absoluteMaximum(values: Float32Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}
