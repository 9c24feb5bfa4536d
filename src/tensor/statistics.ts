/** Statistics over typed arrays. Pure and synchronous: these are inner loops. */
import { fromFloat16 } from './float16.js';
import { createRandom } from './random.js';

/** Smallest and largest finite element; `min > max` (Infinity, -Infinity) when there is none. */
export interface MinMax {
  readonly min: number;
  readonly max: number;
  /** NaN and infinite elements, which `min` and `max` leave out. */
  readonly nonFinite: number;
}

const NONE: MinMax = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, nonFinite: 0 };

/**
 * Minimum and maximum of float32 or float64 elements. Four lanes at a time; `x * 0` is NaN for exactly the elements
 * that are not finite, so one sum a lane tells whether the careful loop is needed.
 */
export function minMax(values: Float32Array | Float64Array): MinMax {
  const count = values.length;
  if (count === 0) return NONE;
  let min0 = Number.POSITIVE_INFINITY;
  let min1 = min0;
  let max0 = Number.NEGATIVE_INFINITY;
  let max1 = max0;
  let poison0 = 0;
  let poison1 = 0;
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    const a = values[i] as number;
    const b = values[i + 1] as number;
    const c = values[i + 2] as number;
    const d = values[i + 3] as number;
    if (a < min0) min0 = a;
    if (a > max0) max0 = a;
    if (b < min1) min1 = b;
    if (b > max1) max1 = b;
    if (c < min0) min0 = c;
    if (c > max0) max0 = c;
    if (d < min1) min1 = d;
    if (d > max1) max1 = d;
    poison0 += a * 0 + b * 0;
    poison1 += c * 0 + d * 0;
  }
  for (let i = whole; i < count; i++) {
    const a = values[i] as number;
    if (a < min0) min0 = a;
    if (a > max0) max0 = a;
    poison0 += a * 0;
  }
  if (poison0 + poison1 !== 0) return minMaxCareful(values);
  return { min: Math.min(min0, min1), max: Math.max(max0, max1), nonFinite: 0 };
}

function minMaxCareful(values: Float32Array | Float64Array): MinMax {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nonFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) nonFinite++;
    else {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { min, max, nonFinite };
}

/** Minimum and maximum of FLOAT16 bits, compared as integers that sort like the numbers. */
export function minMaxFloat16(bits: Uint16Array): MinMax {
  let min = 0xffff;
  let max = -1;
  let nonFinite = 0;
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i] as number;
    if ((half & 0x7c00) === 0x7c00) {
      nonFinite++;
      continue;
    }
    const key = half & 0x8000 ? half ^ 0xffff : half | 0x8000;
    if (key < min) min = key;
    if (key > max) max = key;
  }
  if (max < 0) return { ...NONE, nonFinite };
  return { min: fromFloat16(fromSortKey(min)), max: fromFloat16(fromSortKey(max)), nonFinite };
}

function fromSortKey(key: number): number {
  return key & 0x8000 ? key & 0x7fff : key ^ 0xffff;
}

/**
 * The quantile of `samples` by nearest rank: the element of rank ceil(probability · n) in ascending order, always a
 * value that was really seen. NaN for no samples.
 */
export function quantileNearestRank(samples: readonly number[] | Float64Array, probability: number): number {
  const sorted = Float64Array.from(samples).sort();
  // The small term keeps 0.07 * 100 = 7.000000000000001 at rank 7.
  const rank = Math.ceil(probability * sorted.length - 1e-9);
  return sorted[Math.max(1, Math.min(rank, sorted.length)) - 1] ?? Number.NaN;
}

/** The median: the mean of the two middle elements for an even count. NaN for no samples. */
export function median(samples: readonly number[] | Float64Array): number {
  const sorted = Float64Array.from(samples).sort();
  const upper = sorted.length >> 1;
  const high = sorted[upper] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[upper - 1] ?? Number.NaN)) / 2;
}

/** A median of ratios with its percentile bootstrap interval. */
export interface RatioEstimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

export const BOOTSTRAP_DEFAULTS = { resamples: 10_000, confidence: 0.95, seed: 1 } as const;

/**
 * Median of `candidate[i] / baseline[i]` with a percentile bootstrap confidence interval (Efron 1979) of seeded
 * resamples. Paired, so noise that hits both sides of a pair alike cancels out. Arrays are of equal, non-zero length.
 */
export function medianOfPairedRatios(
  baseline: readonly number[],
  candidate: readonly number[],
  options: { readonly resamples?: number; readonly confidence?: number; readonly seed?: number } = {},
): RatioEstimate {
  const { resamples, confidence, seed } = { ...BOOTSTRAP_DEFAULTS, ...options };
  const count = Math.min(baseline.length, candidate.length);
  const ratios = new Float64Array(count);
  for (let i = 0; i < count; i++) ratios[i] = (candidate[i] as number) / (baseline[i] as number);
  ratios.sort();
  const random = createRandom(seed);
  const medians = new Float64Array(resamples);
  const drawn = new Uint32Array(count);
  for (let r = 0; r < resamples; r++) {
    drawn.fill(0);
    for (let i = 0; i < count; i++) {
      const index = Math.floor((random.uint32() / 2 ** 32) * count);
      drawn[index] = (drawn[index] as number) + 1;
    }
    medians[r] = medianOfDrawn(ratios, drawn, count);
  }
  const tail = (1 - confidence) / 2;
  return {
    median: median(ratios),
    low: quantileNearestRank(medians, tail),
    high: quantileNearestRank(medians, 1 - tail),
    pairs: count,
  };
}

/** Median of a resample given as how often each element of the sorted array was drawn. */
function medianOfDrawn(sorted: Float64Array, drawn: Uint32Array, count: number): number {
  const lowRank = (count - 1) >> 1;
  const highRank = count >> 1;
  let seen = 0;
  let low = Number.NaN;
  for (let i = 0; i < count; i++) {
    seen += drawn[i] as number;
    if (Number.isNaN(low) && seen > lowRank) low = sorted[i] as number;
    if (seen > highRank) return (low + (sorted[i] as number)) / 2;
  }
  return low;
}
