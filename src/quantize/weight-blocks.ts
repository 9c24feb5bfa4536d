/** The loops of weight-kernels.ts with SIMD: blocks are copied into the kernels' memory and cut where channels change. */
import {
  BLOCK_ELEMENTS,
  MAXIMUM_CHANNELS,
  type SimdKernels,
  simdKernels,
  WORTHWHILE_ELEMENTS,
} from '../tensor/kernels.js';

/** How the channels of a tensor lie in memory. */
export interface ChannelLayout {
  readonly channels: number;
  /** Elements in a row that share a channel. */
  readonly inner: number;
}

/** Below this many elements in a piece, the calls cost more than the loops. */
const WORTHWHILE_PIECE = 32;

/** The kernels, where they are to be had and the layout has pieces long enough for them. */
export function kernelsFor(count: number, { channels, inner }: ChannelLayout): SimdKernels | undefined {
  if (count < WORTHWHILE_ELEMENTS) return undefined;
  const fits = inner === 1 ? channels >= WORTHWHILE_PIECE && channels <= MAXIMUM_CHANNELS : inner >= WORTHWHILE_PIECE;
  return fits ? simdKernels() : undefined;
}

/** `absoluteMaximumBits`. */
export function absoluteMaximumInBlocks(
  simd: SimdKernels,
  bits: Int32Array,
  at: number,
  layout: ChannelLayout,
  max: Int32Array,
): void {
  const byColumn = layout.inner === 1;
  if (byColumn) simd.maxima.set(max);
  for (let start = 0; start < bits.length; start += BLOCK_ELEMENTS) {
    const block = bits.subarray(start, start + BLOCK_ELEMENTS);
    simd.bits.set(block);
    for (let i = 0; i < block.length; ) {
      const channel = channelAt(at + start + i, layout);
      const count = pieceLength(at + start + i, block.length - i, layout);
      if (byColumn) simd.maximaOfRow(i, count, channel);
      else max[channel] = Math.max(max[channel] as number, simd.maximumOfRun(i, count));
      i += count;
    }
  }
  if (byColumn) max.set(simd.maxima.subarray(0, max.length));
}

/** `quantizeSymmetric`. */
export function quantizeSymmetricInBlocks(
  simd: SimdKernels,
  values: Float32Array,
  at: number,
  layout: ChannelLayout,
  scales: Float32Array,
  target: Int8Array,
): void {
  const byColumn = layout.inner === 1;
  if (byColumn) simd.scales.set(scales);
  for (let start = 0; start < values.length; start += BLOCK_ELEMENTS) {
    const block = values.subarray(start, start + BLOCK_ELEMENTS);
    simd.floats.set(block);
    for (let i = 0; i < block.length; ) {
      const channel = channelAt(at + start + i, layout);
      const count = pieceLength(at + start + i, block.length - i, layout);
      if (byColumn) simd.quantizeRow(i, count, channel);
      else simd.quantizeRun(i, count, scales[channel] as number);
      i += count;
    }
    target.set(simd.integers.subarray(0, block.length), start);
  }
}

function channelAt(position: number, { channels, inner }: ChannelLayout): number {
  return inner === 1 ? position % channels : Math.floor(position / inner) % channels;
}

/** Elements from `position` on that one call can take: to the end of the row of channels, or of the run of one. */
function pieceLength(position: number, left: number, { channels, inner }: ChannelLayout): number {
  const period = inner === 1 ? channels : inner;
  return Math.min(left, period - (position % period));
}
