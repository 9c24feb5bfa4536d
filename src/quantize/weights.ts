import { bug, ServeOptError } from '../errors.js';
import { DataType, type DataTypeCode, rawByteLength } from '../tensor/dtype.js';
import { float32Chunks } from '../tensor/float-chunks.js';
import { encodeSmallFloats } from '../tensor/small-float.js';
import { Tensor, type TensorBytes } from '../tensor/tensor.js';
import { type QuantizationScheme, quantizationParameters, quantizeValue, SMALLEST_NORMAL } from './scheme.js';
import { storedNumbers } from './stored-numbers.js';
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

/** Scales and zero points of a weight, one element a channel. */
export interface WeightParameters {
  readonly scheme: QuantizationScheme;
  /** The axis whose every index has its own scale; undefined for one scale. */
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
export function weightParameters(ranges: WeightRanges, scheme: QuantizationScheme): WeightParameters {
  const scales = new Float32Array(ranges.min.length);
  const zeroPoints = new Int32Array(ranges.min.length);
  const emptyChannels = new Set<number>();
  for (let channel = 0; channel < scales.length; channel++) {
    const [min, max] = [ranges.min[channel] as number, ranges.max[channel] as number];
    const one = quantizationParameters(min, max, scheme);
    if (max - min < 1e3 * SMALLEST_NORMAL) emptyChannels.add(channel);
    scales[channel] = one.scale;
    zeroPoints[channel] = one.zeroPoint;
  }
  return { scheme, axis: channelAxis(scheme), scales, zeroPoints, emptyChannels };
}

/** The weight with given parameters. Nothing is computed until the bytes are read, and then piece by piece. */
export function weightsWithParameters(tensor: Tensor, parameters: WeightParameters): QuantizedWeights {
  const { scheme, axis, scales, zeroPoints } = parameters;
  const dims = axis === undefined ? [] : [scales.length];
  return {
    quantized: Tensor.of(scheme.storage, tensor.dims, quantizedBytes(tensor, parameters)),
    scale: Tensor.float32(scales, dims),
    zeroPoint: Tensor.of(scheme.storage, dims, storedNumbers(zeroPoints, scheme)),
    parameters,
  };
}

/**
 * Quantizes a float weight (FLOAT, FLOAT16, BFLOAT16, DOUBLE), with one scale or one for each index of an axis, byte for byte like ONNX Runtime's
 * `quantize_nparray`. One pass reads the ranges now; the integers are computed when they are written.
 * @returns undefined when the weight holds NaN or an infinity, which no scale can represent.
 */
export function quantizeWeights(tensor: Tensor, scheme: QuantizationScheme): QuantizedWeights | undefined {
  const ranges = weightRanges(tensor, channelAxis(scheme), scheme.symmetric);
  return ranges && weightsWithParameters(tensor, weightParameters(ranges, scheme));
}

/** The axis of channels that a scheme names; undefined for one scale. @throws a bug error for blocks and for an axis that was left open */
export function channelAxis({ granularity }: QuantizationScheme): number | undefined {
  if (granularity.kind === 'tensor') return undefined;
  if (granularity.kind === 'channel' && granularity.axis !== undefined) return granularity.axis;
  throw bug(`a weight cannot be quantized by ${granularity.kind} without an axis of channels`);
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
  if (!quantize) return storedBytes(source, parameters, layout);
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

/** Types without kernels of their own, number by number. */
function storedBytes(
  source: Tensor,
  { scheme, scales, zeroPoints }: WeightParameters,
  { channels, inner }: ChannelLayout,
): TensorBytes {
  const read = (): Uint8Array => {
    const numbers = new Float64Array(source.size);
    let at = 0;
    for (const values of float32Chunks(source))
      for (const value of values) {
        const channel = Math.floor(at / inner) % channels;
        const parameters = { scale: scales[channel] as number, zeroPoint: zeroPoints[channel] as number };
        numbers[at++] = quantizeValue(value, parameters, scheme);
      }
    return storedNumbers(numbers, scheme);
  };
  return {
    byteLength: rawByteLength(scheme.storage, source.size) as number,
    read,
    *chunks() {
      yield read();
    },
  };
}

type PieceQuantizer = (values: Float32Array, at: number, target: Uint8Array) => void;

/** Loops for 8-bit types; undefined for other types. */
function pieceQuantizer(
  { scheme, scales, zeroPoints }: WeightParameters,
  layout: ChannelLayout,
): PieceQuantizer | undefined {
  if (scheme.storage === DataType.FLOAT8E4M3FN || scheme.storage === DataType.FLOAT8E5M2)
    return smallFloatQuantizer(scheme.storage, scales, layout);
  const isSigned = scheme.storage === DataType.INT8;
  if (!isSigned && scheme.storage !== DataType.UINT8) return undefined;
  if (isSigned && scheme.symmetric) {
    return (values, at, target) =>
      quantizeSymmetric(values, at, layout, scales, new Int8Array(target.buffer, target.byteOffset, target.length));
  }
  const offsets = isSigned ? zeroPoints.map((zeroPoint) => zeroPoint + 128) : zeroPoints;
  return (values, at, target) => {
    const clamped = new Uint8ClampedArray(target.buffer, target.byteOffset, target.length);
    quantizeWithOffsets(values, at, layout, scales, offsets, clamped);
    if (isSigned) for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) ^ 0x80;
  };
}

/** Quotients in float32, then one rounding; what is beyond the type becomes its largest number. */
function smallFloatQuantizer(
  storage: DataTypeCode,
  scales: Float32Array,
  { channels, inner }: ChannelLayout,
): PieceQuantizer {
  let quotients = new Float32Array(0);
  return (values, at, target) => {
    if (quotients.length < values.length) quotients = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const channel = channels === 1 ? 0 : Math.floor((at + i) / inner) % channels;
      quotients[i] = (values[i] as number) / (scales[channel] as number);
    }
    encodeSmallFloats(storage, quotients.subarray(0, values.length), target, true);
  };
}
