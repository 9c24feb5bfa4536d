import { binomialAtLeast, binomialAtMost, leastRuns } from './binomial.js';
import { count, percent, plural } from './numbers-in-words.js';
import type { BenchVerdict } from './results.js';

export interface MedianJudgement {
  /** Undefined: add more. */
  readonly verdict: BenchVerdict | undefined;
  readonly over: number;
  readonly values: number;
  /** One clause with the numbers. */
  readonly why: string;
}

/**
 * Whether the median of a few costly values (cold starts) stays within a limit: the exact sign test, one-sided each way,
 * which asks nothing of the distribution. 5 of 5 pass at 95 %. Values are in the order in which they were taken; looks are
 * at the first 5, 10, 20, … of them. The first look has the chance of error that it cannot do without (1/32), the later
 * ones share the rest, the last one has what is left. The outcome depends on the values alone, so it may be asked for as
 * often as one likes.
 */
export function judgeMedianBudget(
  values: readonly number[] | Float64Array,
  limit: number,
  { confidence = 0.95, final, what = 'start' }: { confidence?: number; final: boolean; what?: string },
): MedianJudgement {
  const alpha = 1 - confidence;
  const first = leastRuns(0.5, confidence);
  const firstTail = 0.5 ** first;
  const spentAfter = (look: number): number => firstTail + (alpha - firstTail) * (1 - 1 / look);
  let over = 0;
  let spent = 0;
  let look = 1;
  for (let n = 1; n <= values.length; n++) {
    if ((values[n - 1] as number) > limit) over++;
    const last = final && n === values.length;
    if (n !== first * 2 ** (look - 1) && !last) continue;
    const tail = ((last ? alpha : spentAfter(look)) - spent) * (1 + 1e-9);
    spent = spentAfter(look);
    look++;
    const verdict = decide(over, n, tail);
    if (verdict !== undefined) {
      const seen = `${count(verdict === 'pass' ? n - over : over)} of ${plural(n, what)}`;
      const side = verdict === 'pass' ? 'within' : 'over';
      return {
        verdict,
        over,
        values: n,
        why: `${seen} ${side}; the median is ${side} with ${percent(confidence)} confidence`,
      };
    }
  }
  const n = values.length;
  const seen = `${count(over)} of ${plural(n, what)} over`;
  const why = n < first ? `${seen}; needs ${plural(first, what)}` : `${seen}: too close to half to decide`;
  return { verdict: final ? 'inconclusive' : undefined, over, values: n, why };
}

function decide(over: number, values: number, tail: number): BenchVerdict | undefined {
  if (binomialAtMost(over, values, 0.5) <= tail) return 'pass';
  return binomialAtLeast(over, values, 0.5) <= tail ? 'fail' : undefined;
}
