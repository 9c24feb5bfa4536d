/**
 * Weights whose products with 8-bit activations cannot saturate. x86 CPUs without VNNI multiply UINT8 by INT8 with VPMADDUBSW, which adds two
 * neighbouring products in 16 bits: two products of 255 · 127 are more than 32767, and are cut off without a sign. Source: ONNX Runtime, "When
 * and why do I need to try U8U8?"; Intel 64 and IA-32 Architectures Software Developer's Manual, PMADDUBSW.
 */
import { bug } from '../errors.js';
import { DataType } from '../tensor/dtype.js';
import type { WeightedNode } from './weighted.js';
import { type WeightParameters, weightParameters, weightRanges, weightsWithParameters } from './weights.js';

/** Two weights may sum up to this much: 255 · 128 fits 16 bits, and 255 · 129 does not. The same below zero, for −32768. */
export const LARGEST_PAIR = 128;

/** How far a scale is raised at a time, where rounding made a pair too large again. */
const STEP = 1.002;

/**
 * Parameters with which no pair of weights overflows, whatever the activations are; the same object where none does. Only the channels that
 * overflow get a larger scale, just large enough, and at most that of 7 bits (a pair of those always fits).
 */
export function withoutSaturation(layer: WeightedNode, parameters: WeightParameters): WeightParameters {
  const { scheme } = parameters;
  if (scheme.storage !== DataType.INT8 || scheme.reduceRange || sumsWide(layer)) return parameters;
  let over = overflowing(largestPairs(layer, parameters));
  if (over.size === 0) return parameters;
  const narrow = narrowed(layer, parameters);
  // Zero points go with their scales: there is nothing between 8 bits and 7.
  if (!scheme.symmetric) return narrow;
  const scales = parameters.scales.slice();
  while (over.size > 0) {
    for (const [channel, largest] of over) {
      const [scale, most] = [scales[channel] as number, narrow.scales[channel] as number];
      const wanted = scale * Math.max(STEP, largest / (LARGEST_PAIR + 0.5));
      scales[channel] = scale < most ? Math.min(wanted, most) : wanted;
    }
    over = overflowing(largestPairs(layer, { ...parameters, scales }, over));
  }
  return { ...parameters, scales };
}

/** Channels whose pairs are too large, with the largest of each. */
function overflowing(pairs: Float64Array): ReadonlyMap<number, number> {
  return new Map([...pairs.entries()].filter(([, largest]) => largest > LARGEST_PAIR));
}

/** Parameters of 7 bits. */
function narrowed({ weight }: WeightedNode, { scheme, axis }: WeightParameters): WeightParameters {
  const ranges = weightRanges(weight, axis, scheme.symmetric);
  if (!ranges) throw bug('a weight that has parameters has no ranges');
  return weightParameters(ranges, { ...scheme, reduceRange: true });
}

/** Depthwise kernels multiply in 16 bits and sum in 32. */
function sumsWide({ node, weight, channels }: WeightedNode): boolean {
  return node.is('Conv') && weight.dims[1] === 1 && node.int('group', 1) === channels && channels > 1;
}

/**
 * The largest sum of two weights that kernels multiply together, as a magnitude, of each channel (one in all for one scale).
 * @param only channels to look at; 0 for the others
 */
export function largestPairs(
  layer: WeightedNode,
  parameters: WeightParameters,
  only?: ReadonlyMap<number, number>,
): Float64Array {
  const { weight } = layer;
  const bytes = weightsWithParameters(weight, parameters).quantized.bytes();
  const integers = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const { rows, length, at } = layoutOf(layer);
  const largest = new Float64Array(parameters.axis === undefined ? 1 : rows);
  const positionsOdd = layer.node.is('Conv') && (weight.dims[1] as number) % 2 === 1 && weight.dims[1] !== 1;
  for (let row = 0; row < rows; row++) {
    const channel = parameters.axis === undefined ? 0 : row;
    if (only && !only.has(channel)) continue;
    let most = largest[channel] as number;
    // With an odd number of channels, kernels differ in whether a pair goes on at the next position.
    for (const run of positionsOdd ? [length, weight.dims[1] as number] : [length])
      for (let start = 0; start < length; start += run)
        for (let i = start; i + 1 < start + run; i += 2) {
          const sum = Math.abs((integers[at(row, i)] as number) + (integers[at(row, i + 1)] as number));
          if (sum > most) most = sum;
        }
    largest[channel] = most;
  }
  return largest;
}

interface Layout {
  /** Output channels. */
  readonly rows: number;
  /** Weights that are summed for one output. */
  readonly length: number;
  /** Place of a weight in the tensor, by its place in the sum: kernels go over the channels of one position before the next. */
  readonly at: (row: number, index: number) => number;
}

function layoutOf({ node, weight, axis, channels }: WeightedNode): Layout {
  const length = weight.size / channels;
  if (node.is('Conv')) {
    const inputs = weight.dims[1] as number;
    const positions = length / inputs;
    return {
      rows: channels,
      length,
      at: (row, index) => row * length + (index % inputs) * positions + Math.floor(index / inputs),
    };
  }
  if (axis === 0) return { rows: channels, length, at: (row, index) => row * length + index };
  return { rows: channels, length, at: (row, index) => index * channels + row };
}
