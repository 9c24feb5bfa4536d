import { createRandom } from '../tensor/random.js';
import { medianOfCounts } from './hierarchical-bootstrap.js';
import { median, quantileOfSorted } from './quantiles.js';

/** A median of ratios with its percentile bootstrap interval; without one where there are too few pairs for any. */
export interface RatioEstimate {
  readonly median: number;
  readonly low?: number;
  readonly high?: number;
  readonly pairs: number;
}

const BOOTSTRAP_DEFAULTS = { resamples: 10_000, confidence: 0.95, seed: 1 } as const;

/**
 * Whether so few values hold their median between the least and the largest with such confidence at all: 6 do at 95 %, 5 do not
 * (David and Nagaraja, "Order Statistics", 7.1). A bootstrap of fewer looks narrow and means nothing.
 */
function holdsMedian(count: number, confidence: number): boolean {
  return 1 - 0.5 ** (count - 1) >= confidence;
}

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
  if (!holdsMedian(count, confidence)) return { median: median(ratios), pairs: count };
  const random = createRandom(seed);
  const medians = new Float64Array(resamples);
  const drawn = new Uint32Array(count);
  for (let r = 0; r < resamples; r++) {
    drawn.fill(0);
    for (let i = 0; i < count; i++) {
      const index = Math.floor((random.uint32() / 2 ** 32) * count);
      drawn[index] = (drawn[index] as number) + 1;
    }
    medians[r] = medianOfCounts(ratios, drawn, count);
  }
  medians.sort();
  const tail = (1 - confidence) / 2;
  return {
    median: median(ratios),
    low: quantileOfSorted(medians, tail),
    high: quantileOfSorted(medians, 1 - tail),
    pairs: count,
  };
}
