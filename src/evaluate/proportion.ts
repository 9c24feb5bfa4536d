/** A share of successes with its uncertainty. */
export interface Proportion {
  /** Successes divided by `n`; NaN when `n` is 0. */
  readonly value: number;
  /** Number of trials. */
  readonly n: number;
  /** 95 % confidence interval. */
  readonly low: number;
  readonly high: number;
}

/** Normal quantile of 97.5 %, for two-sided 95 % intervals. */
export const Z_95 = 1.959963984540054;

/**
 * A proportion with its Wilson score interval, which stays within 0 and 1 and is sound for small `n` and for shares near
 * 0 or 1. Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
 */
export function proportion(successes: number, n: number): Proportion {
  if (n === 0) return { value: Number.NaN, n, low: 0, high: 1 };
  const value = successes / n;
  const z2 = Z_95 * Z_95;
  const centre = (value + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return {
    value,
    n,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
  };
}

/**
 * The 95 % interval of the difference of two shares of the same `n` trials: of what only B has right (`better`) less what
 * only A has (`worse`), each with one trial more than was seen, which keeps it sound where hardly any flipped. Source: D. G.
 * Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data",
 * Journal of Educational and Behavioral Statistics 37 (2012).
 */
export function pairedDifference(
  better: number,
  worse: number,
  n: number,
): { readonly low: number; readonly high: number } {
  const trials = n + 2;
  const gain = better - worse;
  const flipped = better + worse + 2;
  const half = (Z_95 * Math.sqrt(flipped - (gain * gain) / trials)) / trials;
  return { low: Math.max(-1, gain / trials - half), high: Math.min(1, gain / trials + half) };
}
