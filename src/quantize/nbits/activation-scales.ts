/**
 * Factors for the inputs of products by how large those are (AWQ, Lin et al. 2023, arXiv 2306.00978, section 3.2): weights that meet large
 * inputs are multiplied, so that their share of a block's rounding error falls, and the inputs are divided where they are made.
 */
import { Tensor } from '../../tensor/tensor.js';
import { changeError } from './gptq.js';
import { dequantizedMatrix, type MatrixSource, type PackedMatrix } from './nbits-format.js';

/** A product that reads the inputs. */
export interface ScaledProduct {
  /** [outputs, inputs] */
  readonly weights: Float32Array;
  readonly outputs: number;
  /** Σ x·xᵀ of the samples that decide, [inputs, inputs]. */
  readonly gram: Float64Array;
  /** Quantizes a matrix of some outputs; undefined where it is not finite. */
  quantize(source: MatrixSource): PackedMatrix | undefined;
}

/** Factors that were chosen. */
export interface ChosenScales {
  /** 0 where no factors are better. */
  readonly alpha: number;
  /** What the weights of each input are multiplied by. */
  readonly factors: Float64Array;
  /** Noise over signal of the outputs with each of `ALPHAS`, mean of the products. */
  readonly noise: readonly number[];
}

/** Exponents that are tried: 0 leaves weights as they are, 1 makes the inputs of equal size. */
export const ALPHAS: readonly number[] = Array.from({ length: 21 }, (_, step) => step / 20);
/** Inputs smaller than this share of the largest count as large as that: what is nearly always 0 needs no weights near 0. */
const LEAST_SHARE = 1e-4;
/** Outputs of a product that factors are chosen by. */
const MOST_OUTPUTS = 128;

/** (magnitude of each input)^alpha, with 1 in the middle between the least and the largest. @param magnitudes mean |x| */
export function activationFactors(magnitudes: Float64Array, alpha: number): Float64Array {
  const largest = magnitudes.reduce((most, value) => Math.max(most, value), 0);
  if (!(largest > 0) || !Number.isFinite(largest)) return new Float64Array(magnitudes.length).fill(1);
  const factors = magnitudes.map((value) => Math.max(value, largest * LEAST_SHARE) ** alpha);
  const middle = Math.sqrt(Math.max(...factors) * Math.min(...factors));
  return factors.map((factor) => factor / middle);
}

/** The exponent by which products that share their inputs lose least of their outputs, judged by up to 128 outputs of each. */
export function chooseScales(products: readonly ScaledProduct[], magnitudes: Float64Array): ChosenScales {
  const some = products.map((product) => {
    const sampled = someOutputs(product);
    return { sampled, signal: outputSignal(sampled) };
  });
  const noise = ALPHAS.map((alpha) => {
    const factors = activationFactors(magnitudes, alpha);
    return some.reduce((sum, { sampled, signal }) => sum + noiseShare(outputError(sampled, factors), signal), 0);
  });
  let best = 0;
  for (const [at, value] of noise.entries()) if (value < (noise[best] as number)) best = at;
  const alpha = ALPHAS[best] as number;
  return { alpha, factors: activationFactors(magnitudes, alpha), noise: noise.map((sum) => sum / some.length) };
}

/** Noise over signal; 0 where nothing is computed but zeros. */
export function noiseShare(error: number, signal: number): number {
  return signal > 0 ? error / signal : 0;
}

/** Sum of the squared outputs of a product. */
export function outputSignal({ weights, outputs, gram }: Omit<ScaledProduct, 'quantize'>): number {
  return changeError(weights, outputs, gram);
}

/** Sum of the squared errors of a product's outputs when its weights are quantized with factors; infinite where they cannot be. */
export function outputError({ weights, outputs, gram, quantize }: ScaledProduct, factors: Float64Array): number {
  const inputs = factors.length;
  const scaled = new Float32Array(weights.length);
  for (let at = 0; at < scaled.length; at++) scaled[at] = (weights[at] as number) * (factors[at % inputs] as number);
  const packed = quantize(matrixOf(scaled, outputs));
  if (!packed) return Number.POSITIVE_INFINITY;
  const change = dequantizedMatrix(packed);
  for (let at = 0; at < change.length; at++)
    change[at] = (change[at] as number) / (factors[at % inputs] as number) - (weights[at] as number);
  return changeError(change, outputs, gram);
}

/** Weights as a source. @param weights [outputs, inputs] */
export function matrixOf(weights: Float32Array, outputs: number): MatrixSource {
  const inputs = weights.length / outputs;
  return { tensor: Tensor.float32(weights, [outputs, inputs]), first: 0, outputs, inputs, byOutput: true };
}

/** The product with outputs from all over its weights. */
function someOutputs(product: ScaledProduct): ScaledProduct {
  const { weights, outputs } = product;
  if (outputs <= MOST_OUTPUTS) return product;
  const inputs = weights.length / outputs;
  const chosen = new Float32Array(MOST_OUTPUTS * inputs);
  for (let row = 0; row < MOST_OUTPUTS; row++) {
    const from = Math.floor((row * outputs) / MOST_OUTPUTS) * inputs;
    chosen.set(weights.subarray(from, from + inputs), row * inputs);
  }
  return { ...product, weights: chosen, outputs: MOST_OUTPUTS };
}
