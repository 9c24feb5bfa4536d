/**
 * Inner loops over weights: ranges and rounding. A tensor is seen as [outer, channels, inner], walked in memory order;
 * `at` is the index of the first element of a piece.
 *
 * Rounding: adding and subtracting 1.5·2^23 rounds a float32 below 2^22 half to even, and scales are made so that
 * |x / scale| stays far below that. The quotient is a float32 division, as NumPy computes it.
 */
import { absoluteMaximumInBlocks, type ChannelLayout, kernelsFor, quantizeSymmetricInBlocks } from './weight-blocks.js';

export type { ChannelLayout } from './weight-blocks.js';

const ROUNDER = 12582912;

/** Largest magnitude of each channel as float32 bits, where infinities and NaN compare above every finite value. */
export function absoluteMaximumBits(bits: Int32Array, at: number, layout: ChannelLayout, max: Int32Array): void {
  const simd = kernelsFor(bits.length, layout);
  if (simd) {
    absoluteMaximumInBlocks(simd, bits, at, layout, max);
    return;
  }
  const { channels, inner } = layout;
  const count = bits.length;
  if (inner === 1) {
    for (let i = 0, channel = at % channels; i < count; channel = 0) {
      const end = Math.min(count, i + channels - channel);
      for (; i < end; i++, channel++) {
        const magnitude = (bits[i] as number) & 0x7fffffff;
        if (magnitude > (max[channel] as number)) max[channel] = magnitude;
      }
    }
    return;
  }
  for (let i = 0; i < count; ) {
    const channel = Math.floor((at + i) / inner) % channels;
    const end = Math.min(count, i + inner - ((at + i) % inner));
    let largest = max[channel] as number;
    for (; i < end; i++) {
      const magnitude = (bits[i] as number) & 0x7fffffff;
      if (magnitude > largest) largest = magnitude;
    }
    max[channel] = largest;
  }
}

/** Smallest and largest value of each channel; NaN is passed over. */
export function minimumMaximum(
  values: Float32Array,
  at: number,
  layout: ChannelLayout,
  min: Float32Array,
  max: Float32Array,
): void {
  const { channels, inner } = layout;
  const count = values.length;
  for (let i = 0; i < count; ) {
    const channel = Math.floor((at + i) / inner) % channels;
    const end = Math.min(count, i + inner - ((at + i) % inner));
    let low = min[channel] as number;
    let high = max[channel] as number;
    for (; i < end; i++) {
      const value = values[i] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    min[channel] = low;
    max[channel] = high;
  }
}

/** Zero point 0, INT8. The scales must be at least absolute maximum / 127, so that nothing needs clipping. */
export function quantizeSymmetric(
  values: Float32Array,
  at: number,
  layout: ChannelLayout,
  scales: Float32Array,
  target: Int8Array,
): void {
  const simd = kernelsFor(values.length, layout);
  if (simd) {
    quantizeSymmetricInBlocks(simd, values, at, layout, scales, target);
    return;
  }
  const { channels, inner } = layout;
  const count = values.length;
  if (inner === 1) {
    for (let i = 0, channel = at % channels; i < count; channel = 0) {
      const end = Math.min(count, i + channels - channel);
      for (; i < end; i++, channel++) {
        const quotient = Math.fround((values[i] as number) / (scales[channel] as number));
        target[i] = Math.fround(quotient + ROUNDER) - ROUNDER;
      }
    }
    return;
  }
  for (let i = 0; i < count; ) {
    const scale = scales[Math.floor((at + i) / inner) % channels] as number;
    const end = Math.min(count, i + inner - ((at + i) % inner));
    for (; i < end; i++) {
      target[i] = Math.fround(Math.fround((values[i] as number) / scale) + ROUNDER) - ROUNDER;
    }
  }
}

/** Any zero point; `offsets` are zero points counted from the smallest value of the type. Writes 0..255, clipped. */
export function quantizeWithOffsets(
  values: Float32Array,
  at: number,
  layout: ChannelLayout,
  scales: Float32Array,
  offsets: Int32Array,
  target: Uint8ClampedArray,
): void {
  const { channels, inner } = layout;
  const count = values.length;
  for (let i = 0; i < count; ) {
    const channel = Math.floor((at + i) / inner) % channels;
    const scale = scales[channel] as number;
    const offset = offsets[channel] as number;
    const end = Math.min(count, i + inner - ((at + i) % inner));
    for (; i < end; i++) {
      target[i] = Math.fround(Math.fround((values[i] as number) / scale) + ROUNDER) - ROUNDER + offset;
    }
  }
}
