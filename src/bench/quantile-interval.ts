import { binomialAtLeast, binomialAtMost, leastRuns } from './binomial.js';
import { plural } from './numbers-in-words.js';
import { quantileOfSorted } from './quantiles.js';
import type { QuantileReport } from './results.js';

/** The quantiles that reports show: p50, p90, p95, p99, p99.9. */
export const REPORTED_PROBABILITIES = [0.5, 0.9, 0.95, 0.99, 0.999] as const;

/** Ranks, from 1, between whose samples a quantile lies; an end is absent where there are too few samples for it. */
export interface RankInterval {
  readonly low?: number;
  readonly high?: number;
}

/**
 * The distribution-free interval of a quantile from order statistics: how many of n samples lie below the quantile is
 * binomial whatever the distribution is (David and Nagaraja, "Order Statistics", 7.1). `designEffect` widens it where samples
 * are not independent: ranks move out by its square root.
 */
export function quantileRanks(runs: number, probability: number, confidence = 0.95, designEffect = 1): RankInterval {
  const tail = ((1 - confidence) / 2) * (1 + 1e-12);
  const widen = Math.sqrt(designEffect) - 1;
  const middle = probability * runs;
  // The largest rank with P(fewer than `low` below) <= tail; the smallest with P(at least `high` below) <= tail.
  const low = firstTrue(0, runs + 1, (rank) => binomialAtMost(rank, runs, probability) > tail);
  const high = firstTrue(0, runs + 1, (rank) => binomialAtLeast(rank, runs, probability) <= tail);
  const outerLow = Math.floor(low - widen * Math.max(0, middle - low));
  const outerHigh = Math.ceil(high + widen * Math.max(0, high - middle));
  return { ...(outerLow >= 1 && { low: outerLow }), ...(outerHigh <= runs && { high: outerHigh }) };
}

/** The least whole number from `from` at which a condition holds that then goes on to hold; `to` where it never does. */
function firstTrue(from: number, to: number, holds: (value: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Quantiles of samples in ascending order by nearest rank, each with its interval. Above the median a quantile of which
 * even an upper bound of one side is unknown is not shown: it would be the maximum by another name.
 */
export function quantileReports(
  sorted: Float64Array,
  probabilities: readonly number[] = REPORTED_PROBABILITIES,
  confidence = 0.95,
  designEffect: (probability: number) => number = () => 1,
): QuantileReport[] {
  return probabilities.map((probability) => quantileReport(sorted, probability, confidence, designEffect(probability)));
}

function quantileReport(
  sorted: Float64Array,
  probability: number,
  confidence: number,
  designEffect: number,
): QuantileReport {
  const runs = sorted.length;
  const needed = probability > 0.5 ? leastRuns(probability, confidence) : 1;
  if (runs < needed) return { probability, why: `needs ${plural(needed, 'run')}` };
  const ms = quantileOfSorted(sorted, probability);
  const { low, high } = quantileRanks(runs, probability, confidence, designEffect);
  const ends = {
    ...(low !== undefined && { lowMs: sorted[low - 1] as number }),
    ...(high !== undefined && { highMs: sorted[high - 1] as number }),
  };
  if (low !== undefined && high !== undefined) return { probability, ms, ...ends };
  return { probability, ms, ...ends, why: missingEnd(runs, probability, confidence, low === undefined) };
}

function missingEnd(runs: number, probability: number, confidence: number, both: boolean): string {
  const oneSide = 1 - (1 - confidence) / 2;
  const needed = leastRuns(Math.max(probability, 1 - probability), oneSide);
  const what = both ? 'an interval' : 'an upper bound';
  return runs < needed
    ? `${what} needs ${plural(needed, 'run')}`
    : `${what} needs more runs: they are not independent of each other`;
}
