/** What is said of budgets, on the terminal, in pages and for CI. */
import type { BenchVerdict } from '../bench/results.js';
import type { BudgetReport } from '../gates/budget-report.js';
import { formatMetricRange, formatMetricValue } from './bench-format.js';
import { plural } from './format.js';

/** `p99 ≤ 10ms`, `throughput ≥ 200/s`. */
export function budgetPhrase({ metric, budget, wants }: BudgetReport): string {
  return `${metric} ${wants === 'high' ? '≥' : '≤'} ${budget}`;
}

/** What was measured for a budget, without its interval; an empty text where nothing was. */
export function measuredValue({ measured, unit }: BudgetReport): string {
  return measured === undefined ? '' : formatMetricValue(measured, unit);
}

export function measuredRange({ low, high, unit }: BudgetReport): string {
  return formatMetricRange(low, high, unit) ?? '';
}

/** `measured 12.5 ms (95 %: 11.9–13.1 ms); 31 of 1,000 runs over`: the whole story of a budget. */
export function budgetStory(budget: BudgetReport): string {
  const range = measuredRange(budget);
  const value = measuredValue(budget);
  return [
    ...(value === '' ? [] : [`measured ${value}${range === '' ? '' : ` (95 %: ${range})`}`]),
    ...budgetReason(budget),
  ].join('; ');
}

/** Why, unless it only repeats what was measured. */
export function budgetReason(budget: BudgetReport): readonly string[] {
  return budget.why === '' || budget.why === measuredValue(budget) ? [] : [budget.why];
}

/** `2 of 4 budgets broken, 1 inconclusive`, `all 4 budgets met`: what all of them together come to. */
export function budgetsClause(budgets: readonly BudgetReport[]): string {
  const count = (verdict: BenchVerdict): number => budgets.filter((budget) => budget.verdict === verdict).length;
  const [broken, unclear] = [count('fail'), count('inconclusive')];
  const all = plural(budgets.length, 'budget');
  if (broken + unclear === 0) return budgets.length === 1 ? 'the budget is met' : `all ${all} met`;
  const words = [];
  if (broken > 0) words.push(`${broken} of ${all} broken`);
  if (unclear > 0) words.push(broken > 0 ? `${unclear} inconclusive` : `${unclear} of ${all} inconclusive`);
  return words.join(', ');
}
