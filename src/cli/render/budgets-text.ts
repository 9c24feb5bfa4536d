import type { BudgetReport } from '../../gates/budget-report.js';
import {
  budgetPhrase,
  budgetReason,
  budgetStory,
  budgetsClause,
  measuredRange,
  measuredValue,
} from '../../report/budget-words.js';
import { safeText } from '../../report/safe-text.js';
import type { JudgedReport } from '../../report/types.js';
import { withClauses } from './clauses.js';
import { gateLine, isTooWide, signCell, verdictLine, wordCell } from './gate-lines.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';

/** Budgets: limit, what was measured, the verdict and why. @param several whether they are about several configurations */
export async function budgetsText(
  budgets: readonly BudgetReport[],
  several: boolean,
  options: TextOptions,
): Promise<string> {
  const rows = budgets.map((budget): readonly Cell[] => [
    signCell(budget.verdict),
    ...(several ? [budget.configuration] : []),
    budgetPhrase(budget),
    { text: measuredValue(budget) || '–', style: 'bold' },
    { text: measuredRange(budget), style: 'dim' },
    wordCell(budget.verdict),
  ]);
  const titles = [
    { title: '' },
    ...(several ? [{ title: 'configuration', flexible: true }] : []),
    { title: 'budget' },
    { title: 'measured', align: 'right' } as const,
    { title: '95 % interval' },
    { title: 'verdict' },
  ];
  const table = await renderTable(titles, rows, { ...options, indent: 2, stacks: false });
  const why = budgets.map((each) => safeText(budgetReason(each).join()));
  const text = isTooWide(table, options)
    ? budgets.map((each) => gateLine(each.verdict, budgetTitle(each, several), budgetStory(each), options)).join('\n')
    : withClauses(table, why, 1, options);
  return `${options.style.bold('Budgets')}\n${text}`;
}

function budgetTitle(budget: BudgetReport, several: boolean): string {
  return several ? `${budget.configuration}, ${budgetPhrase(budget)}` : budgetPhrase(budget);
}

/** The budgets of one model and the verdict, to stand below what was measured; nothing where there are none. */
export async function judgedText(
  { budgets = [], verdict }: JudgedReport,
  options: TextOptions,
): Promise<readonly string[]> {
  if (verdict === undefined) return [];
  return ['', await budgetsText(budgets, false, options), '', verdictLine(verdict, budgetsClause(budgets), options)];
}
