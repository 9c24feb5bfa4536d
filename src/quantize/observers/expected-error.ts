import { type NumberRange, type QuantizationScheme, quantizationParameters, typeRange } from '../scheme.js';
import type { Observed } from './observer.js';

/**
 * Mean squared error that quantization to a range is expected to make, from the histogram: what is nearer to zero than half a step becomes zero,
 * what is outside becomes the end of the range, and the rest is rounded, which costs step² / 12.
 */
export function expectedError({ sums }: Observed, range: NumberRange, scheme: QuantizationScheme): number {
  if (sums.total === 0) return 0;
  const { scale, zeroPoint } = quantizationParameters(range.min, range.max, scheme);
  const limits = typeRange(scheme);
  const low = (limits.min - zeroPoint) * scale;
  const high = (limits.max - zeroPoint) * scale;
  const below = sums.below(low);
  const upTo = sums.below(high);
  const all = sums.below(Number.POSITIVE_INFINITY);
  const smallFrom = sums.below(Math.max(-scale / 2, low));
  const smallTo = sums.below(Math.min(scale / 2, high));
  const small = smallTo.squares - smallFrom.squares;
  const rounded = upTo.count - below.count - (smallTo.count - smallFrom.count);
  const cutLow = below.squares - 2 * low * below.sum + low * low * below.count;
  const above = { count: all.count - upTo.count, sum: all.sum - upTo.sum, squares: all.squares - upTo.squares };
  const cutHigh = above.squares - 2 * high * above.sum + high * high * above.count;
  return Math.max(0, small + (rounded * scale * scale) / 12 + Math.max(0, cutLow) + Math.max(0, cutHigh)) / sums.total;
}
