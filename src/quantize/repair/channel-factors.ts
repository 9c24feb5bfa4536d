/** Factors of channels by which 8 bits lose least. */
import type { Tensor } from '../../tensor/tensor.js';

/** What is known of the channels of a value, one element a channel. */
export interface ChannelFigures {
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Mean square. */
  readonly power: Float64Array;
}

/** A layer that multiplies channels by weights. */
export interface ReaderFigures {
  readonly weights: ReaderWeights;
  readonly channels: ChannelFigures;
}

/** Weights by the channel that they multiply and the output that they go into. */
export interface ReaderWeights {
  readonly values: Float32Array;
  /** Of the element at an index. */
  channelOf(index: number): number;
  outputOf(index: number): number;
  readonly outputs: number;
  /** Σw² of each channel, and its largest |w|. */
  readonly energy: Float64Array;
  readonly largest: Float64Array;
  /** Elements of each output that meet the same channel: positions of the window. */
  readonly positions: number;
}

/** What is chosen for a group. */
export interface ChannelFactors {
  /** What channels are divided by where they are written, one element a channel. */
  readonly factors: Float64Array;
  /** How much of the difference lies with the weights: 0 leaves activations as they are, 1 makes their channels equal. */
  readonly alpha: number;
  /** Expected noise at the readers over that without factors. */
  readonly noise: number;
}

const ALPHAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
/** Factors are at most so far from their mean: beyond that, float rounding would count. */
const MOST_FACTOR = 1e3;
/** Steps of 8 bits. */
const STEPS = 255;
/** Steps of weights to each side of zero. */
const WEIGHT_STEPS = 127;

/** Weights of a layer as a reader's, for a weight whose channels are on `axis`; `separate` where each output has one channel (depthwise). */
export function readerWeights(tensor: Tensor, axis: number, separate: boolean): ReaderWeights {
  const values = tensor.float32Array();
  const channels = tensor.dims[axis] as number;
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const channelOf = (index: number): number => Math.floor(index / inner) % channels;
  // Axis 0 of a matrix: outputs are columns. Axis 1: outputs are rows.
  const outputOf = separate
    ? channelOf
    : axis === 0
      ? (index: number): number => index % inner
      : (index: number): number => Math.floor(index / (inner * channels));
  const energy = new Float64Array(channels);
  const largest = new Float64Array(channels);
  for (const [index, value] of values.entries()) {
    const channel = channelOf(index);
    energy[channel] = (energy[channel] as number) + value * value;
    largest[channel] = Math.max(largest[channel] as number, Math.abs(value));
  }
  const outputs = separate ? channels : axis === 0 ? inner : (tensor.dims[0] as number);
  const positions = separate || axis === 1 ? inner : 1;
  return { values, channelOf, outputOf, outputs, energy, largest, positions };
}

/**
 * The factors s = a^α / w^(1−α) of least expected noise (a: largest magnitude of a channel, w: of the weights that read it), α
 * searched from 0.1 to 1: rounding of activations is Δ²/12 for each, times the weights; rounding of weights likewise, times the
 * activations. Undefined where none is clearly better than no factors. Reference: Xiao et al. 2023 (arXiv 2211.10438), eq. 4.
 */
export function chooseFactors(readers: readonly ReaderFigures[]): ChannelFactors | undefined {
  const count = readers[0]?.channels.max.length ?? 0;
  const none = new Float64Array(count).fill(1);
  const before = expectedNoise(readers, none);
  if (!(before > 0) || !Number.isFinite(before)) return undefined;
  const magnitude = new Float64Array(count);
  const weight = new Float64Array(count);
  for (const { channels, weights } of readers)
    for (let c = 0; c < count; c++) {
      const size = Math.max(channels.max[c] as number, -(channels.min[c] as number));
      magnitude[c] = Math.max(magnitude[c] as number, size);
      weight[c] = Math.max(weight[c] as number, weights.largest[c] as number);
    }
  let best: ChannelFactors | undefined;
  for (const alpha of ALPHAS) {
    const factors = factorsFor(magnitude, weight, alpha);
    const noise = expectedNoise(readers, factors) / before;
    if (Number.isFinite(noise) && noise < (best?.noise ?? 1)) best = { factors, alpha, noise };
  }
  return best;
}

function factorsFor(magnitude: Float64Array, weight: Float64Array, alpha: number): Float64Array {
  const logs = magnitude.map((a, c) => {
    const w = weight[c] as number;
    return a > 0 && w > 0 ? alpha * Math.log(a) - (1 - alpha) * Math.log(w) : Number.NaN;
  });
  const known = logs.filter((each) => !Number.isNaN(each));
  if (known.length === 0) return logs.fill(1);
  const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
  const limit = Math.log(MOST_FACTOR);
  // A channel that is never more than 0, or that nothing reads, stays as it is.
  return logs.map((each) => (Number.isNaN(each) ? 1 : Math.exp(Math.min(limit, Math.max(-limit, each - mean)))));
}

/** Noise of rounding over the signal, summed over readers. */
export function expectedNoise(readers: readonly ReaderFigures[], factors: Float64Array): number {
  let total = 0;
  for (const { weights, channels } of readers) {
    const { energy, positions } = weights;
    let [low, high, gain, scaledPower, signal] = [0, 0, 0, 0, 0];
    for (let c = 0; c < factors.length; c++) {
      const s = factors[c] as number;
      low = Math.min(low, (channels.min[c] as number) / s);
      high = Math.max(high, (channels.max[c] as number) / s);
      gain += s * s * (energy[c] as number);
      scaledPower += ((channels.power[c] as number) * positions) / (s * s);
      signal += (channels.power[c] as number) * (energy[c] as number);
    }
    if (!(signal > 0)) continue;
    const activation = (((high - low) / STEPS) ** 2 / 12) * gain;
    let weightNoise = 0;
    for (const largest of largestByOutput(weights, factors)) weightNoise += (largest / WEIGHT_STEPS) ** 2 / 12;
    total += (activation + weightNoise * scaledPower) / signal;
  }
  return total;
}

function largestByOutput({ values, channelOf, outputOf, outputs }: ReaderWeights, factors: Float64Array): Float64Array {
  const largest = new Float64Array(outputs);
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index] as number) * (factors[channelOf(index)] as number);
    const output = outputOf(index);
    if (size > (largest[output] as number)) largest[output] = size;
  }
  return largest;
}
