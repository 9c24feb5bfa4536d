/** Exact binomial tails and bounds. Counts may be fractions: those that serial correlation has deflated are. */
import { inverseIncompleteBeta, regularizedIncompleteBeta } from './incomplete-beta.js';

/** P(at most `count` of `runs`) where each happens with probability `rate`. */
export function binomialAtMost(count: number, runs: number, rate: number): number {
  if (count < 0) return 0;
  return count >= runs ? 1 : regularizedIncompleteBeta(1 - rate, runs - count, count + 1);
}

/** P(at least `count` of `runs`) where each happens with probability `rate`. */
export function binomialAtLeast(count: number, runs: number, rate: number): number {
  if (count <= 0) return 1;
  return count > runs ? 0 : regularizedIncompleteBeta(rate, count, runs - count + 1);
}

/**
 * The highest rate that `count` of `runs` leaves possible: above it, so few would be seen with a probability of `tail`
 * at most. One-sided. Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of
 * the binomial", Biometrika 26 (1934).
 */
export function clopperPearsonUpper(count: number, runs: number, tail: number): number {
  return count >= runs ? 1 : inverseIncompleteBeta(1 - tail, count + 1, runs - count);
}

/** The lowest rate that `count` of `runs` leaves possible; see `clopperPearsonUpper`. */
export function clopperPearsonLower(count: number, runs: number, tail: number): number {
  return count <= 0 ? 0 : inverseIncompleteBeta(tail, count, runs - count + 1);
}

/**
 * The least number of runs with which a quantile can be held to a limit at this confidence when `over` runs are over it:
 * 299 for p99 at 95 % with none over. These are the counts of MLPerf LoadGen's early stopping.
 */
export function leastRuns(probability: number, confidence = 0.95, over = 0): number {
  const tail = 1 - confidence;
  // Rounding must not turn 95 % into 94.99 %, so a hair is left.
  const enough = (runs: number): boolean => binomialAtMost(over, runs, 1 - probability) <= tail * (1 + 1e-12);
  let high = over + 1;
  while (!enough(high)) high *= 2;
  let low = high >> 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
