/** Quantiles of samples. */

/**
 * The quantile of `samples` by nearest rank: the element of rank ceil(probability · n) in ascending order, always a
 * value that was really seen. NaN for no samples.
 */
export function quantileNearestRank(samples: readonly number[] | Float64Array, probability: number): number {
  return quantileOfSorted(new Float64Array(samples).sort(), probability);
}

/** As `quantileNearestRank`, of samples in ascending order. */
export function quantileOfSorted(sorted: Float64Array, probability: number): number {
  // The small term keeps 0.07 * 100 = 7.000000000000001 at rank 7.
  const rank = Math.ceil(probability * sorted.length - 1e-9);
  return sorted[Math.max(1, Math.min(rank, sorted.length)) - 1] ?? Number.NaN;
}

/** The median: the mean of the two middle elements for an even count. NaN for no samples. */
export function median(samples: readonly number[] | Float64Array): number {
  const sorted = new Float64Array(samples).sort();
  const upper = sorted.length >> 1;
  const high = sorted[upper] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[upper - 1] ?? Number.NaN)) / 2;
}
