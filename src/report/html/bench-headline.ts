import type { BenchReport, BenchVerdict, ConfigurationReport } from '../bench-types.js';
import { verdictReasons } from '../bench-words.js';
import { plural } from '../format.js';
import type { Child, Markup } from './markup.js';
import { capital, warnings } from './model-change.js';
import { banner, named, notice } from './parts.js';

/** Names of configurations that a notice can hold. */
const MOST_NAMES = 5;

const TITLES: Readonly<Record<BenchVerdict, string>> = { pass: 'Pass', fail: 'Fail', inconclusive: 'Inconclusive' };

/** The verdict of all gates in a word, and which gates made it; what stopped the run, and what may spoil it. */
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
            ? ['No verdict: neither a budget nor a baseline was asked for.']
            : [`No verdict: ${clause}.`, ...regressionLines(report)],
        )
      : banner(verdict, TITLES[verdict], [...reasons, ...regressionLines(report)]),
  ];
  if (interrupted) {
    parts.push(notice('warning', 'Interrupted.', 'The figures are those that had been measured by then.'));
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

function regressionLines({ regressions }: BenchReport): readonly Child[] {
  return regressions.map(({ configuration, baseline, why }) => [
    named(configuration),
    ' against ',
    named(baseline),
    ': ',
    named(why),
  ]);
}

/** Why a configuration could not be measured, or not to the end. */
export function errorNotice({ error, latency }: ConfigurationReport): readonly Markup[] {
  if (error === undefined) return [];
  const word = latency === undefined ? 'Not measured.' : 'Not measured to the end.';
  return [notice('error', word, named(error.message), ` (${error.code})`)];
}
