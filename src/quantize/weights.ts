import { ServeOptError } from '../errors.js';
import { float32Chunks } from '../tensor/float-chunks.js';
import { bytesOf, Tensor, type TensorBytes } from '../tensor/tensor.js';
import {
  type QuantizedType,
  quantizationParameters,
  quantizedDataType,
  type SchemeOptions,
  SMALLEST_NORMAL,
} from './scheme.js';
import {
  absoluteMaximumBits,
  type ChannelLayout,
  minimumMaximum,
  quantizeSymmetric,
  quantizeWithOffsets,
} from './weight-kernels.js';

/** Ranges of a weight, one element a channel (one element in all without an axis). */
export interface WeightRanges {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

export interface WeightOptions extends SchemeOptions {
  /** The axis whose every index gets its own scale; undefined for one scale. Not negative. */
  readonly axis?: number | undefined;
}

/** Scales and zero points of a weight, one element a channel. */
export interface WeightParameters {
  readonly type: QuantizedType;
  /** Scales cover the largest magnitude, so that nothing is clipped. */
  readonly symmetric: boolean;
  readonly axis: number | undefined;
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
  /** Channels that have no value a scale could represent: every one becomes 0, whatever the scale. */
  readonly emptyChannels?: ReadonlySet<number>;
}

export interface QuantizedWeights {
  /** Same shape as the source; its bytes are computed when they are read. */
  readonly quantized: Tensor;
  /** FLOAT, shape `[channels]`, or a scalar without axis. */
  readonly scale: Tensor;
  /** The quantized type, same shape as `scale`. */
  readonly zeroPoint: Tensor;
  readonly parameters: WeightParameters;
}

/**
 * Smallest and largest value of each channel, in one pass over the source. Undefined when the weight holds NaN or an
 * infinity. `symmetric` asks for magnitudes only (min = −max), which is faster.
 */
export function weightRanges(tensor: Tensor, axis: number | undefined, symmetric: boolean): WeightRanges | undefined {
  const layout = channelLayout(tensor.dims, axis);
  const magnitudes = new Int32Array(layout.channels);
  const min = new Float32Array(layout.channels).fill(symmetric ? 0 : Number.POSITIVE_INFINITY);
  const max = new Float32Array(layout.channels).fill(symmetric ? 0 : Number.NEGATIVE_INFINITY);
  let at = 0;
  for (const values of float32Chunks(tensor)) {
    absoluteMaximumBits(new Int32Array(values.buffer, values.byteOffset, values.length), at, layout, magnitudes);
    if (!symmetric) minimumMaximum(values, at, layout, min, max);
    at += values.length;
  }
  const floats = new Float32Array(magnitudes.buffer);
  if (!floats.every(Number.isFinite)) return undefined;
  if (at === 0) return { min: min.fill(0), max: max.fill(0) };
  return symmetric ? { min: floats.map((v) => -v), max: floats } : { min, max };
}

/** Scales and zero points for ranges. */
export function weightParameters(ranges: WeightRanges, options: WeightOptions): WeightParameters {
  const scales = new Float32Array(ranges.min.length);
  const zeroPoints = new Int32Array(ranges.min.length);
  const emptyChannels = new Set<number>();
  for (let channel = 0; channel < scales.length; channel++) {
    const [min, max] = [ranges.min[channel] as number, ranges.max[channel] as number];
    const one = quantizationParameters(min, max, options);
    if (max - min < 1e3 * SMALLEST_NORMAL) emptyChannels.add(channel);
    scales[channel] = one.scale;
    zeroPoints[channel] = one.zeroPoint;
  }
  return { type: options.type, symmetric: options.symmetric, axis: options.axis, scales, zeroPoints, emptyChannels };
}

/** The weight with given parameters. Nothing is computed until the bytes are read, and then piece by piece. */
export function weightsWithParameters(tensor: Tensor, parameters: WeightParameters): QuantizedWeights {
  const { type, axis, scales, zeroPoints } = parameters;
  const dims = axis === undefined ? [] : [scales.length];
  const dataType = quantizedDataType(type);
  const zeroPointBytes = type === 'u8' ? Uint8Array.from(zeroPoints) : bytesOf(Int8Array.from(zeroPoints));
  return {
    quantized: Tensor.of(dataType, tensor.dims, quantizedBytes(tensor, parameters)),
    scale: Tensor.float32(scales, dims),
    zeroPoint: Tensor.of(dataType, dims, zeroPointBytes),
    parameters,
  };
}

/**
 * Quantizes a float weight (FLOAT, FLOAT16, BFLOAT16, DOUBLE) to 8 bits, byte for byte like ONNX Runtime's
 * `quantize_nparray`. One pass reads the ranges now; the integers are computed when they are written.
 * @returns undefined when the weight holds NaN or an infinity, which no scale can represent.
 */
export function quantizeWeights(tensor: Tensor, options: WeightOptions): QuantizedWeights | undefined {
  const ranges = weightRanges(tensor, options.axis, options.symmetric);
  return ranges && weightsWithParameters(tensor, weightParameters(ranges, options));
}

function channelLayout(dims: readonly number[], axis: number | undefined): ChannelLayout {
  if (axis === undefined) return { channels: 1, inner: Number.MAX_SAFE_INTEGER };
  const channels = dims[axis];
  if (channels === undefined) {
    throw new ServeOptError('SO2101', `A weight of rank ${dims.length} has no axis ${axis}`);
  }
  return { channels, inner: dims.slice(axis + 1).reduce((product, dim) => product * dim, 1) };
}

function quantizedBytes(source: Tensor, parameters: WeightParameters): TensorBytes {
  const layout = channelLayout(source.dims, parameters.axis);
  const quantize = pieceQuantizer(parameters, layout);
  return {
    byteLength: source.size,
    read() {
      const target = new Uint8Array(source.size);
      let at = 0;
      for (const values of float32Chunks(source)) {
        quantize(values, at, target.subarray(at, at + values.length));
        at += values.length;
      }
      return target;
    },
    *chunks() {
      let target = new Uint8Array(0);
      let at = 0;
      for (const values of float32Chunks(source)) {
        if (target.length < values.length) target = new Uint8Array(values.length);
        const piece = target.subarray(0, values.length);
        quantize(values, at, piece);
        yield piece;
        at += values.length;
      }
    },
  };
}

type PieceQuantizer = (values: Float32Array, at: number, target: Uint8Array) => void;

function pieceQuantizer(parameters: WeightParameters, layout: ChannelLayout): PieceQuantizer {
  const { type, symmetric, scales, zeroPoints } = parameters;
  if (type === 's8' && symmetric) {
    return (values, at, target) =>
      quantizeSymmetric(values, at, layout, scales, new Int8Array(target.buffer, target.byteOffset, target.length));
  }
  const offsets = type === 's8' ? zeroPoints.map((zeroPoint) => zeroPoint + 128) : zeroPoints;
  return (values, at, target) => {
    const clamped = new Uint8ClampedArray(target.buffer, target.byteOffset, target.length);
    quantizeWithOffsets(values, at, layout, scales, offsets, clamped);
    if (type === 's8') for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) ^ 0x80;
  };
}
