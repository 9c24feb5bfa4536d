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
  const again = search?.again ?? (less as NonNullable<typeof less>).again;
  const known: AmountSearch = {
    holds: misses ? (search?.holds ?? 0) : amount,
    misses: misses ? amount : (search?.misses ?? amount),
    best: misses ? search?.best : candidate,
    attempts,
    again,
    isLast: false,
  };
  const next = nextAmount(known, attempts.length);
  await renew();
  if (next === undefined) return last(candidate, known);
  return { ...(await again(next)), search: known };
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
function nextAmount({ holds, misses }: AmountSearch, tried: number): number | undefined {
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
