import type { BudgetReport } from '../../gates/budget-report.js';
import type { PruneOptions } from '../options.js';
import { judgeBudgets } from '../result-budgets.js';
import type { Checked } from '../workbench/check-result.js';
import type { AmountSearch, PruneCandidate } from './prune-candidate.js';

/** Metrics that less pruning makes better, and that are known once a result has run. */
const OF_OUTPUTS: ReadonlySet<string> = new Set(['accuracy', 'drop', 'agreement', 'sqnr']);
/** Candidates in all. */
const MOST_ATTEMPTS = 6;
/** Amounts closer to each other than this share are not told apart. */
const CLOSE = 0.08;

/**
 * The candidate to look at next where one misses a budget of its outputs: half as much at first, then between what keeps the
 * budgets and what does not. Undefined where the candidate stands, or is the last.
 * @param renew called before another candidate is made or looked at
 */
export async function backOff(
  candidate: PruneCandidate,
  checked: Checked,
  options: PruneOptions,
  renew: () => Promise<void>,
): Promise<PruneCandidate | undefined> {
  const { less, search } = candidate;
  const budgets = outputBudgets(candidate, checked, options);
  if (search?.isLast || budgets.length === 0 || !checked.comparison) return undefined;
  const misses = budgets.some(({ verdict }) => verdict === 'fail');
  if (!search && (!misses || !less)) return undefined;
  const amount = less?.amount ?? 0;
  const attempts = [...(search?.attempts ?? []), { amount, budgets }];
  const { again, same } = search ?? (less as NonNullable<typeof less>);
  const known: AmountSearch = {
    holds: misses ? (search?.holds ?? 0) : amount,
    misses: misses ? amount : (search?.misses ?? amount),
    best: misses ? search?.best : candidate,
    attempts,
    again,
    same,
    isLast: false,
  };
  const { next, ...bounds } = await nextOf(known);
  const moved = { ...known, ...bounds };
  await renew();
  if (next === undefined) return last(candidate, moved);
  return { ...(await again(next)), search: moved };
}

/** The next amount that takes something else than those that are known, with the bounds moved over those that do not. */
async function nextOf(
  known: AmountSearch,
): Promise<{ readonly holds: number; readonly misses: number; readonly next: number | undefined }> {
  let { holds, misses } = known;
  const { attempts, same } = known;
  for (;;) {
    const next = nextAmount({ holds, misses }, attempts.length);
    if (next === undefined || !same) return { holds, misses, next };
    // The first attempt may have spread its amount in another way.
    if (misses !== attempts[0]?.amount && (await same(next, misses))) misses = next;
    else if (holds > 0 && (await same(next, holds))) holds = next;
    else return { holds, misses, next };
  }
}

/** The budgets of the outputs, as they are judged for a written candidate. */
function outputBudgets({ model }: PruneCandidate, checked: Checked, options: PruneOptions): readonly BudgetReport[] {
  if (!checked.comparison) return [];
  const { comparison, accuracy, reason } = checked;
  const own = (options.budgets ?? []).filter(({ metric }) => OF_OUTPUTS.has(metric));
  const file = { name: '', sizeBytes: 0, sha256: '' };
  const result = { file, model, comparison, accuracy, isOriginal: false, notRun: reason };
  return judgeBudgets({ ...options, budgets: own }, result).budgets ?? [];
}

/** Counts stay counts. */
function nextAmount({ holds, misses }: Pick<AmountSearch, 'holds' | 'misses'>, tried: number): number | undefined {
  if (tried >= MOST_ATTEMPTS || (misses - holds) / misses < CLOSE) return undefined;
  const middle = (holds + misses) / 2;
  if (misses <= 1 && holds < 1) return misses === 1 ? undefined : middle;
  const count = Math.floor(middle);
  return count > holds && count < misses && count >= 1 ? count : undefined;
}

/** The best candidate again, or this one where none keeps the budgets. */
function last(candidate: PruneCandidate, known: AmountSearch): PruneCandidate | undefined {
  const search = { ...known, isLast: true };
  return { ...(known.best ?? candidate), search };
}
