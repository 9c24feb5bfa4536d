/**
 * Half-quadratic quantization (HQQ; Badri and Shaji 2023, "Half-Quadratic Quantization of Large Machine Learning Models"): the zero point
 * of each block minimizes the l_p norm (p < 1) of the errors, so that outliers count less. Zero points are rounded to whole codes at the
 * end; each block stops where its own error grows.
 */
import type { NBitsFormat } from './nbits-format.js';
import type { BlockQuantizer } from './quantize-blocks.js';
import { clipped, encode, rounded } from './scale-search.js';

/** Of ONNX Runtime's HQQ quantizer. */
export const HQQ = { norm: 0.7, beta: 10, kappa: 1.01, iterations: 20, largestInverse: 2e4 } as const;

/** A quantizer of blocks. The format is asymmetric. */
export function halfQuadratic(format: NBitsFormat): BlockQuantizer {
  const top = 2 ** format.bits - 1;
  return (values, codes) => {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = 0; k < values.length; k++) {
      const value = values[k] as number;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const inverse = Math.min(HQQ.largestInverse, max === min ? 1 : top / (max - min));
    const zeroPoint = clipped(rounded(refinedZero(values, inverse, -min * inverse, format)), format);
    const scale = Math.fround(1 / inverse);
    encode(values, scale, zeroPoint, format, codes);
    return { scale, zeroPoint };
  };
}

/** The zero point as a real number: that of the iteration with the least mean error. */
function refinedZero(values: Float32Array, inverse: number, first: number, format: NBitsFormat): number {
  let zero = rounded(first);
  let [best, bestZero] = [Number.POSITIVE_INFINITY, zero];
  let beta: number = HQQ.beta;
  for (let iteration = 0; iteration < HQQ.iterations; iteration++) {
    let [error, sum] = [0, 0];
    for (const value of values) {
      const code = clipped(rounded(value * inverse + zero), format);
      const rest = value - (code - zero) / inverse;
      error += Math.abs(rest);
      sum += code - (value - shrunk(rest, beta)) * inverse;
    }
    if (!(error < best)) break;
    [best, bestZero] = [error, zero];
    zero = sum / values.length;
    beta *= HQQ.kappa;
  }
  return bestZero;
}

/** The proximal operator of the l_p norm. */
function shrunk(value: number, beta: number): number {
  const size = Math.abs(value);
  return Math.sign(value) * Math.max(0, size - (size + 1e-8) ** (HQQ.norm - 1) / beta);
}
