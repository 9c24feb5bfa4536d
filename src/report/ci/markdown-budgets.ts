import type { RegressionReport } from '../../bench/results.js';
import type { BudgetReport } from '../../gates/budget-report.js';
import { budgetPhrase, budgetReason, measuredRange, measuredValue } from '../budget-words.js';
import { markdownCode, markdownProse } from './markdown-text.js';
import type { MarkdownWriter } from './markdown-writer.js';

/** The sign of a verdict. */
export const VERDICT_SIGNS: Readonly<Record<RegressionReport['verdict'], string>> = {
  pass: '✅',
  fail: '❌',
  inconclusive: '⚠️',
  'not-comparable': '⚠️',
};

/** Budgets as a table. @param several whether they are about several configurations */
export function budgetsTable(page: MarkdownWriter, budgets: readonly BudgetReport[], several: boolean): void {
  if (budgets.length === 0) return;
  const rows = budgets.map((budget) => [
    VERDICT_SIGNS[budget.verdict],
    ...(several ? [markdownCode(budget.configuration)] : []),
    markdownProse(budgetPhrase(budget)),
    measuredValue(budget) || '–',
    measuredRange(budget),
    markdownProse(budgetReason(budget).join()),
  ]);
  const titles = [
    { title: '' },
    ...(several ? [{ title: 'configuration' }] : []),
    { title: 'budget' },
    { title: 'measured', right: true },
    { title: '95 % interval' },
    { title: 'why' },
  ];
  page.table(titles, rows);
}
