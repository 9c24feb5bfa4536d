import type { BenchVerdict } from '../../bench/results.js';
import type { BudgetReport } from '../../gates/budget-report.js';
import { formatMetricValue } from '../bench-format.js';
import { budgetPhrase, budgetReason, budgetStory, budgetsClause } from '../budget-words.js';
import { capital } from '../format.js';
import type { JudgedReport } from '../types.js';
import { figureText, intervalText, MISSING } from './figures.js';
import type { Child, Markup } from './markup.js';
import { banner, lead, named, result, section, table } from './parts.js';

/** The word of a verdict in a banner. */
export const VERDICT_TITLES: Readonly<Record<BenchVerdict, string>> = {
  pass: 'Pass',
  fail: 'Fail',
  inconclusive: 'Inconclusive',
};

/** Every budget with what was measured against it. @param how budgets are judged, a sentence */
export function budgetsSection(
  budgets: readonly BudgetReport[],
  manyConfigurations: boolean,
  how: string,
): Markup | undefined {
  if (budgets.length === 0) return undefined;
  const rows = budgets.map((budget) => {
    const { configuration, measured, low, high, unit, verdict } = budget;
    return {
      cells: [
        named(budgetPhrase(budget)),
        ...(manyConfigurations ? [named(configuration)] : []),
        result(verdict),
        figureText(measured, (value) => formatMetricValue(value, unit)),
        intervalText(low, high, unit) ?? MISSING,
        budgetReason(budget).map(named),
      ],
    };
  });
  return section(
    'budgets',
    'Budgets',
    lead(how),
    table(
      'Budgets',
      [
        { title: 'Budget', kind: 'short' },
        ...(manyConfigurations ? [{ title: 'Configuration', kind: 'name' as const }] : []),
        { title: 'Verdict', kind: 'short' },
        { title: 'Measured', kind: 'number' },
        { title: '95 % interval', kind: 'number' },
        { title: 'Why', kind: 'why' },
      ],
      rows,
    ),
  );
}

/** A budget with its whole story, a line of a banner. */
export function budgetLine(budget: BudgetReport): Child {
  return [named(budgetPhrase(budget)), ': ', named(budgetStory(budget))];
}

/** The verdict on a model that was made or compared, and the budgets that made it; nothing where none was set. */
export function judgedBanner({ budgets = [], verdict }: JudgedReport): Markup | undefined {
  if (verdict === undefined) return undefined;
  // That budgets are met is said in one sentence.
  const deciding = verdict === 'pass' ? [] : budgets.filter((each) => each.verdict === verdict);
  return banner(verdict, VERDICT_TITLES[verdict], [`${capital(budgetsClause(budgets))}.`, ...deciding.map(budgetLine)]);
}

/** The budgets of a model that was made or compared. */
export function judgedSection({ budgets = [] }: JudgedReport): Markup | undefined {
  const how =
    'A metric measured on samples is judged by its value on these samples, shown with its interval; a speed-up is judged by its interval, and inconclusive where the limit lies within it.';
  return budgetsSection(budgets, false, how);
}
