/**
 * GPTQ (Frantar et al. 2022, arXiv 2210.17323): inputs are rounded one after the other, and the weights of those still to come make up for
 * the errors, by the second moments of what the layer reads. Inputs with the most activity come first (act-order); the grid of each block is
 * found beforehand from the weights as they were (static groups), so that the order does not mix blocks.
 */
import { invertToUpper } from '../../tensor/cholesky.js';
import { passErrorsOn } from '../../tensor/error-feedback.js';
import { matrixProduct } from '../../tensor/matrix-product.js';
import { blobBytes, blocksOf, type NBitsFormat, type PackedMatrix, packBlock } from './nbits-format.js';
import { rounded, scaleSearch } from './scale-search.js';

/** Added to the diagonal, as a share of its mean. */
export const GPTQ_DAMPING = 0.01;

/** What GPTQ may be told. */
export interface GptqOptions {
  /** Inputs in the order of their activity. Default true. */
  readonly actOrder?: boolean;
}

/**
 * Quantizes a matrix of weights.
 * @param weights [outputs, inputs], finite
 * @param gram Σ x·xᵀ over what the layer reads, inputs × inputs
 * @returns undefined where the sums do not tell
 */
export function gptq(
  weights: Float32Array,
  outputs: number,
  gram: Float64Array,
  format: NBitsFormat,
  { actOrder = true }: GptqOptions = {},
): PackedMatrix | undefined {
  const inputs = weights.length / outputs;
  const diagonal = Float64Array.from({ length: inputs }, (_, k) => gram[k * inputs + k] as number);
  const mean = diagonal.reduce((sum, each) => sum + each, 0) / inputs;
  if (!(mean > 0) || !Number.isFinite(mean)) return undefined;
  const importance = diagonal.map((each) => each + GPTQ_DAMPING * mean);
  const order = Int32Array.from({ length: inputs }, (_, k) => k);
  if (actOrder) order.sort((a, b) => (diagonal[b] as number) - (diagonal[a] as number) || a - b);
  const factor = new Float64Array(inputs * inputs);
  for (let i = 0; i < inputs; i++) {
    const row = (order[i] as number) * inputs;
    for (let j = 0; j < inputs; j++) factor[i * inputs + j] = gram[row + (order[j] as number)] as number;
    factor[i * inputs + i] = importance[order[i] as number] as number;
  }
  if (!invertToUpper(factor, inputs)) return undefined;
  const grids = gridsOf(weights, outputs, format, importance);
  const codes = roundInOrder(weights, outputs, factor, order, grids, format);
  return codes && packed(codes, outputs, inputs, grids, format);
}

/** Scales and zero points, [outputs, blocks]. */
interface Grids {
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

function gridsOf(weights: Float32Array, outputs: number, format: NBitsFormat, importance: Float64Array): Grids {
  const inputs = weights.length / outputs;
  const blocks = blocksOf(inputs, format);
  const scales = new Float32Array(outputs * blocks);
  const zeroPoints = new Uint8Array(outputs * blocks);
  const search = scaleSearch(format, importance);
  const codes = new Uint8Array(format.block);
  for (let n = 0; n < outputs; n++)
    for (let b = 0; b < blocks; b++) {
      const first = b * format.block;
      const values = weights.subarray(n * inputs + first, n * inputs + Math.min(inputs, first + format.block));
      const { scale, zeroPoint } = search(values, codes, first);
      scales[n * blocks + b] = scale;
      zeroPoints[n * blocks + b] = zeroPoint;
    }
  return { scales, zeroPoints };
}

/** Codes, [inputs, outputs] in the order of the layer. */
function roundInOrder(
  weights: Float32Array,
  outputs: number,
  factor: Float64Array,
  order: Int32Array,
  { scales, zeroPoints }: Grids,
  format: NBitsFormat,
): Uint8Array | undefined {
  const inputs = order.length;
  const blocks = blocksOf(inputs, format);
  const left = new Float64Array(weights.length);
  for (let i = 0; i < inputs; i++)
    for (let n = 0; n < outputs; n++) left[i * outputs + n] = weights[n * inputs + (order[i] as number)] as number;
  const codes = new Uint8Array(weights.length);
  const top = 2 ** format.bits - 1;
  passErrorsOn(left, factor, inputs, (i, at, errors, diagonal) => {
    const input = order[i] as number;
    const block = Math.floor(input / format.block);
    for (let n = 0; n < outputs; n++) {
      const value = left[at + n] as number;
      const place = n * blocks + block;
      const [scale, zero] = [scales[place] as number, zeroPoints[place] as number];
      const free = scale === 0 ? zero : rounded(value / scale) + zero;
      const code = free > top ? top : Math.max(free, 0);
      codes[input * outputs + n] = code;
      errors[n] = (value - (code - zero) * scale) / diagonal;
    }
  });
  return left.every(Number.isFinite) ? codes : undefined;
}

function packed(
  codes: Uint8Array,
  outputs: number,
  inputs: number,
  { scales, zeroPoints }: Grids,
  format: NBitsFormat,
): PackedMatrix {
  const [blocks, blob] = [blocksOf(inputs, format), blobBytes(format)];
  const target = new Uint8Array(outputs * blocks * blob);
  const one = new Uint8Array(format.block);
  for (let n = 0; n < outputs; n++)
    for (let b = 0; b < blocks; b++) {
      const count = Math.min(format.block, inputs - b * format.block);
      for (let k = 0; k < count; k++) one[k] = codes[(b * format.block + k) * outputs + n] as number;
      packBlock(one, count, format.bits, target, (n * blocks + b) * blob);
    }
  return { format, outputs, inputs, codes: target, scales, zeroPoints: format.symmetric ? undefined : zeroPoints };
}

/** Mean squared error of the layer's outputs for a change of its weights, [outputs, inputs], but for the number of rows: Σ dᵀ·G·d. */
export function changeError(change: Float32Array, outputs: number, gram: Float64Array): number {
  const inputs = change.length / outputs;
  const product = new Float64Array(change.length);
  const changes = { data: Float64Array.from(change), at: 0, stride: inputs };
  matrixProduct()(
    { data: product, at: 0, stride: inputs },
    changes,
    { data: gram, at: 0, stride: inputs },
    outputs,
    inputs,
    inputs,
  );
  let error = 0;
  for (let at = 0; at < change.length; at++) error -= (product[at] as number) * (change[at] as number);
  return error;
}
