import type { EstimateReport } from './results.js';
import { studentQuantile } from './student.js';

/** Mean and standard error of one value a process. */
interface ClusterMean {
  readonly mean: number;
  /** Of the mean, between processes; NaN for fewer than two. */
  readonly standardError: number;
  readonly degrees: number;
}

export function clusterMean(values: readonly number[] | Float64Array): ClusterMean {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const degrees = values.length - 1;
  return { mean, standardError: Math.sqrt(squares / degrees / values.length), degrees };
}

/**
 * Student's interval of the mean over processes, each end wrong with probability `tail`. A bootstrap over five
 * processes is too narrow, as they hardly tell how much processes differ; this is not.
 */
export function clusterInterval(
  values: readonly number[] | Float64Array,
  tail: number,
  leastStandardError = 0,
): EstimateReport {
  const { mean, standardError, degrees } = clusterMean(values);
  if (degrees < 1) return { value: mean };
  const half = studentQuantile(tail, degrees) * Math.max(standardError, leastStandardError);
  return { value: mean, low: mean - half, high: mean + half };
}
