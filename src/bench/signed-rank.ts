/** Paired differences by ranks: checks beside the median that ask nothing of the distribution but symmetry. */
import { normalUpperTail } from './normal.js';

/** Up to so many differences without ties the p-value is exact. */
const EXACT = 30;

/**
 * The median of the means of all pairs of values, each value with itself too: the estimate of location that belongs to
 * Wilcoxon's test (Hodges and Lehmann, Ann. Math. Statist. 34 (1963)). `sorted` is in ascending order. Found by halving, as
 * counting the pairs below a value takes one sweep; there may be millions of them.
 */
export function hodgesLehmann(sorted: Float64Array): number {
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  const pairs = (n * (n + 1)) / 2;
  const wanted = Math.ceil(pairs / 2);
  let low = sorted[0] as number;
  let high = sorted[n - 1] as number;
  for (let i = 0; i < 60 && high > low; i++) {
    const middle = low + (high - low) / 2;
    if (pairMeansUpTo(sorted, middle) >= wanted) high = middle;
    else low = middle;
  }
  return high;
}

function pairMeansUpTo(sorted: Float64Array, limit: number): number {
  let count = 0;
  let j = sorted.length - 1;
  for (let i = 0; i <= j; i++) {
    while (j >= i && (sorted[i] as number) + (sorted[j] as number) > 2 * limit) j--;
    if (j >= i) count += j - i + 1;
  }
  return count;
}

/**
 * The two-sided p-value of Wilcoxon's signed-rank test (Biometrics Bulletin 1 (1945)) that values are symmetric about 0. Exact
 * for few values without ties, else the normal approximation with corrections for ties and continuity. Zeros are left
 * out. It takes values as independent: bursts make it too small.
 */
export function wilcoxonSignedRank(values: Float64Array): number {
  const used = values.filter((value) => value !== 0);
  const n = used.length;
  if (n === 0) return 1;
  // Sorting twice is faster than sorting objects: positive values and all magnitudes, merged by rank.
  const magnitudes = used.map(Math.abs).sort();
  const positives = used.filter((value) => value > 0).sort();
  let sum = 0;
  let ties = 0;
  let taken = 0;
  for (let i = 0; i < n; ) {
    let end = i + 1;
    while (end < n && magnitudes[end] === magnitudes[i]) end++;
    const equal = end - i;
    ties += equal ** 3 - equal;
    while (taken < positives.length && positives[taken] === magnitudes[i]) {
      sum += (i + 1 + end) / 2;
      taken++;
    }
    i = end;
  }
  const mean = (n * (n + 1)) / 4;
  if (n <= EXACT && ties === 0) return exact(Math.min(sum, 2 * mean - sum), n);
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  if (variance <= 0) return 1;
  return Math.min(1, 2 * normalUpperTail(Math.max(0, Math.abs(sum - mean) - 0.5) / Math.sqrt(variance)));
}

/** 2 P(W <= sum): counts the subsets of 1..n by their sum. */
function exact(sum: number, n: number): number {
  const ways = new Float64Array(sum + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let s = sum; s >= rank; s--) ways[s] = (ways[s] as number) + (ways[s - rank] as number);
  }
  let total = 0;
  for (const way of ways) total += way;
  return Math.min(1, (2 * total) / 2 ** n);
}
