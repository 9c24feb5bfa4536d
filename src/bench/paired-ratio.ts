import { createRandom } from '../tensor/random.js';
import { medianOfCounts } from './hierarchical-bootstrap.js';
import { median, quantileOfSorted } from './quantiles.js';

/** A median of ratios with its percentile bootstrap interval. */
export interface RatioEstimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

const BOOTSTRAP_DEFAULTS = { resamples: 10_000, confidence: 0.95, seed: 1 } as const;

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
