import type { BenchVerdict, RegressionReport } from '../../bench/results.js';
import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import { verdictReasons } from '../bench-words.js';
import { capital, plural } from '../format.js';
import { budgetLine, VERDICT_TITLES } from './budgets-section.js';
import type { Child, Markup } from './markup.js';
import { warnings } from './model-change.js';
import { banner, named, notice } from './parts.js';

/** Names of configurations that a notice can hold, and gates that the banner can. */
const MOST_NAMES = 5;
const MOST_GATES = 8;

/** The verdict of all gates in a word, and by name those that made it; what stopped the run, and what may spoil it. */
export function headline(report: BenchReport): readonly Markup[] {
  const { verdict, interrupted, configurations } = report;
  const failed = configurations.filter(({ error }) => error !== undefined);
  const measured = configurations.filter(({ latency }) => latency !== undefined);
  const clause = verdictReasons(report);
  const reasons = clause === '' ? [] : [`${capital(clause)}.`];
  const parts = [
    verdict === undefined
      ? banner(
          'none',
          measured.length === 0 ? 'Nothing was measured' : 'Measured',
          clause === ''
            ? ['No verdict: neither a budget nor a baseline was given.']
            : [`No verdict: ${clause}.`, ...report.regressions.map(regressionLine)],
        )
      : banner(verdict, VERDICT_TITLES[verdict], [...reasons, ...decidingGates(report, verdict)]),
  ];
  if (interrupted) {
    parts.push(notice('warning', 'Interrupted.', 'The figures are partial results.'));
  }
  const [only] = failed;
  if (configurations.length === 1 && only !== undefined) parts.push(...errorNotice(only));
  else if (failed.length > 0) {
    const names = failed.slice(0, MOST_NAMES).map(({ label }, i) => [i === 0 ? '' : ', ', named(label)]);
    const more = failed.length > MOST_NAMES ? ` and ${failed.length - MOST_NAMES} more` : '';
    const count = plural(failed.length, 'configuration');
    parts.push(notice('error', `${count} not measured to the end:`, names, more));
  }
  return [...parts, ...warnings(report.warnings)];
}

/** The gates that a verdict rests on: broken ones of a failure, open ones where it cannot be told. */
function decidingGates({ budgets, regressions, configurations }: BenchReport, verdict: BenchVerdict): readonly Child[] {
  const decides = (gate: { readonly verdict: RegressionReport['verdict'] }): boolean =>
    gate.verdict === verdict || (verdict === 'inconclusive' && gate.verdict === 'not-comparable');
  const lines = [
    // That budgets are met is said in one sentence.
    ...(verdict === 'pass' ? [] : budgets.filter(decides)).map((budget): Child => {
      const where = configurations.length > 1 ? [named(budget.configuration), ': '] : [];
      return [...where, budgetLine(budget)];
    }),
    ...regressions.filter(decides).map(regressionLine),
  ];
  const more = lines.length - MOST_GATES;
  return more > 0 ? [...lines.slice(0, MOST_GATES), `and ${more} more`] : lines;
}

function regressionLine({ configuration, baseline, why }: RegressionReport): Child {
  return [named(configuration), ' against ', named(baseline), ': ', named(why)];
}

/** Why a configuration could not be measured, or not to the end. */
export function errorNotice({ error, latency }: ConfigurationReport): readonly Markup[] {
  if (error === undefined) return [];
  const word = latency === undefined ? 'Not measured.' : 'Not measured to the end.';
  return [notice('error', word, named(error.message), ` (${error.code})`)];
}
