import type { BenchReport } from '../bench-types.js';
import { mainConfiguration, quantileOf, regressionPhrase, regressionStory, verdictReasons } from '../bench-words.js';
import { budgetPhrase, budgetStory } from '../budget-words.js';
import { plural } from '../format.js';
import { safeText } from '../safe-text.js';
import { withoutNoise } from './metric-points.js';
import { type AnnotationLevel, withoutWorkflowCommands, workflowAnnotation } from './workflow-commands.js';

interface Annotation {
  readonly level: AnnotationLevel;
  readonly title: string;
  readonly message: string;
}

/** GitHub shows ten of a kind for each step. The last of more than ten counts the rest. */
const MOST_OF_A_KIND = 10;

/**
 * Workflow commands for GitHub Actions, a line each: errors for broken gates and for what could not be measured, warnings
 * for what could not be decided or may spoil the figures. Empty where all is well.
 */
export function githubAnnotations(report: BenchReport): string {
  const found = [...annotationsOf(report)];
  const levels: readonly AnnotationLevel[] = ['error', 'warning', 'notice'];
  return levels
    .flatMap((level) => {
      const all = found.filter((annotation) => annotation.level === level);
      if (all.length <= MOST_OF_A_KIND) return all;
      const shown = all.slice(0, MOST_OF_A_KIND - 1);
      const rest = plural(all.length - shown.length, `more ${level}`);
      return [...shown, { level, title: 'serve-opt bench', message: `and ${rest}: see the report` }];
    })
    .map(({ level, title, message }) => workflowAnnotation(level, safeText(title, 200), safeText(message)))
    .join('');
}

function* annotationsOf(report: BenchReport): Iterable<Annotation> {
  for (const budget of report.budgets) {
    if (budget.verdict === 'pass') continue;
    yield {
      level: budget.verdict === 'fail' ? 'error' : 'warning',
      title: `${budgetPhrase(budget)}: ${budget.verdict}`,
      message: `${budget.configuration}: ${budgetStory(budget)}`,
    };
  }
  for (const regression of report.regressions) {
    const { verdict } = regression;
    if (verdict === 'pass') continue;
    yield {
      level: verdict === 'fail' ? 'error' : 'warning',
      title: `against the baseline: ${verdict === 'not-comparable' ? 'not comparable' : verdict}`,
      message: `${regressionPhrase(regression)}: ${regressionStory(regression)}`,
    };
  }
  for (const { label, error } of report.configurations) {
    if (error !== undefined)
      yield { level: 'error', title: `not measured: ${label}`, message: `${error.code} ${error.message}` };
  }
  for (const message of report.warnings) yield { level: 'warning', title: 'serve-opt bench', message };
  if (report.interrupted) {
    yield {
      level: 'warning',
      title: 'serve-opt bench',
      message: 'interrupted: the report has partial results',
    };
  }
  if (report.suggestion !== undefined) {
    const { configuration, why } = report.suggestion;
    yield { level: 'notice', title: 'suggested configuration', message: `${configuration}: ${why}` };
  }
}

/** What later steps of a job can use, as `steps.ID.outputs.NAME`. All but the verdict are about one configuration. */
function outputsOf(report: BenchReport): readonly (readonly [name: string, value: string | number | undefined])[] {
  const main = mainConfiguration(report);
  const ms = (probability: number): number | undefined => quantileOf(main?.latency?.quantiles, probability)?.ms;
  return [
    ['verdict', report.verdict ?? 'none'],
    ['summary', verdictReasons(report) || undefined],
    ['configuration', main?.label],
    ['p50_ms', ms(0.5)],
    ['p90_ms', ms(0.9)],
    ['p95_ms', ms(0.95)],
    ['p99_ms', ms(0.99)],
    ['throughput', main?.throughput?.value],
    ['memory_bytes', main?.memory?.modelBytes],
    ['cold_start_ms', main?.coldStart?.median.totalMs],
    ['ratio', report.regressions.find(({ ratio }) => ratio !== undefined)?.ratio?.value],
  ];
}

/**
 * Text to append to `$GITHUB_OUTPUT`: numbers as `name=value`, texts between delimiters that nobody could have foreseen.
 * What was not measured is left out.
 */
export function githubOutputs(report: BenchReport, randomWord: () => string): string {
  return outputsOf(report)
    .map(([name, value]) => {
      if (value === undefined) return '';
      if (typeof value === 'number') return Number.isFinite(value) ? `${name}=${withoutNoise(value)}\n` : '';
      const text = withoutWorkflowCommands(safeText(value));
      let delimiter: string;
      do delimiter = `serve_opt_${randomWord()}`;
      while (text.includes(delimiter));
      return `${name}<<${delimiter}\n${text}\n${delimiter}\n`;
    })
    .join('');
}
