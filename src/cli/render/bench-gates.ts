import type { BenchVerdict, RegressionReport } from '../../bench/results.js';
import type { BenchReport, BudgetReport } from '../../report/bench-types.js';
import {
  budgetPhrase,
  budgetReason,
  budgetStory,
  measuredRange,
  measuredValue,
  ratioChange,
  ratioRange,
  regressionPhrase,
  regressionReason,
  regressionStory,
  verdictReasons,
} from '../../report/bench-words.js';
import { formatNumber, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { BenchTextOptions } from './bench-layout.js';
import { visibleWidth, withClauses } from './clauses.js';
import type { StyleName } from './style.js';
import { type Cell, renderTable } from './table.js';
import { wrapLine } from './wrap.js';

interface VerdictLook {
  readonly sign: string;
  readonly word: string;
  readonly style: StyleName;
}

const LOOKS: Readonly<Record<RegressionReport['verdict'], VerdictLook>> = {
  pass: { sign: '✓', word: 'pass', style: 'green' },
  fail: { sign: '✗', word: 'FAIL', style: 'red' },
  inconclusive: { sign: '▲', word: 'inconclusive', style: 'yellow' },
  'not-comparable': { sign: '▲', word: 'not comparable', style: 'yellow' },
};

/** Budgets: limit, what was measured, the verdict and why. */
export async function budgetsText(report: BenchReport, options: BenchTextOptions): Promise<string> {
  const { budgets, configurations } = report;
  const several = configurations.length > 1;
  const rows = budgets.map((budget): readonly Cell[] => [
    sign(budget.verdict),
    ...(several ? [budget.configuration] : []),
    budgetPhrase(budget),
    { text: measuredValue(budget) || '–', style: 'bold' },
    { text: measuredRange(budget), style: 'dim' },
    word(budget.verdict),
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

/** Regressions: how much slower, what noise there was, the verdict and why. */
export async function regressionsText(report: BenchReport, options: BenchTextOptions): Promise<string> {
  const { regressions } = report;
  const { style, verbosity, columns } = options;
  const rows = regressions.map((each): readonly Cell[] => [
    sign(each.verdict),
    regressionPhrase(each),
    { text: each.ratio === undefined ? '–' : ratioChange(each.ratio.value), style: 'bold' },
    { text: ratioRange(each), style: 'dim' },
    word(each.verdict),
  ]);
  const titles = [
    { title: '' },
    { title: '', flexible: true },
    { title: 'latency', align: 'right' },
    { title: '95 % interval' },
    { title: 'verdict' },
  ] as const;
  const table = await renderTable(titles, rows, { ...options, indent: 2, stacks: false });
  const why = regressions.map((each) => safeText(regressionReason(each)));
  const text = isTooWide(table, options)
    ? regressions
        .map((each) => gateLine(each.verdict, regressionPhrase(each), regressionStory(each), options))
        .join('\n')
    : withClauses(table, why, 1, options);
  const parts = [`${style.bold('Against the baseline')}`, text];
  if (verbosity > 0) {
    for (const { rounds, hodgesLehmann, wilcoxonP } of regressions) {
      const ratios = rounds.map(
        ({ ratio, selfRatio }) =>
          `${ratioChange(ratio)}${selfRatio === undefined ? '' : ` (itself ${ratioChange(selfRatio)})`}`,
      );
      const words = [
        `${plural(rounds.length, 'process', 'processes')}: ${ratios.join(', ')}`,
        ...(hodgesLehmann === undefined ? [] : [`Hodges-Lehmann ${ratioChange(hodgesLehmann)}`]),
        ...(wilcoxonP === undefined ? [] : [`Wilcoxon p ${formatNumber(wilcoxonP, 2)}`]),
      ];
      parts.push(style.dim(wrapLine(`      ${words.join('; ')}`, columns, 6)));
    }
  }
  return parts.join('\n');
}

/** Whether a terminal would break the lines of a table. */
function isTooWide(table: string, { columns }: BenchTextOptions): boolean {
  return columns !== undefined && table.split('\n').some((line) => visibleWidth(line) > columns);
}

/** `✗ FAIL  p99 ≤ 10ms: measured 12.5 ms …`: a gate as a sentence, for terminals too narrow for a table. */
function gateLine(
  verdict: RegressionReport['verdict'],
  what: string,
  story: string,
  options: BenchTextOptions,
): string {
  const { sign: mark, word: text, style } = LOOKS[verdict];
  const head = options.style[style](`${mark} ${text}`);
  return wrapLine(`  ${head}  ${safeText(what)}: ${safeText(story)}`, options.columns, 4);
}

function budgetTitle(budget: BudgetReport, several: boolean): string {
  return several ? `${budget.configuration}, ${budgetPhrase(budget)}` : budgetPhrase(budget);
}

const VERDICT_LINES: Readonly<Record<BenchVerdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

/** `✗ FAIL  2 of 4 budgets broken; slower than the baseline`. */
export function verdictText(report: BenchReport, { style, columns }: BenchTextOptions): string {
  const verdict = report.verdict ?? 'pass';
  const look = LOOKS[verdict];
  const title = style.bold(style[look.style](`${look.sign} ${VERDICT_LINES[verdict]}`));
  const more = verdict === 'inconclusive' ? `: too little to tell, ${whatHelps(report)}` : '';
  return wrapLine(`${title}  ${verdictReasons(report)}${more}`, columns, 2);
}

/** An earlier report holds what it holds, however long the other side is measured. */
function whatHelps({ budgets, regressions, interrupted }: BenchReport): string {
  if (interrupted) return 'it was interrupted';
  const isOpen = ({ verdict }: { readonly verdict: string }): boolean => verdict === 'inconclusive';
  const isReportAlone = !budgets.some(isOpen) && regressions.filter(isOpen).every(({ kind }) => kind === 'report');
  return isReportAlone
    ? 'give the model as --baseline, not its report, to time both in one run'
    : 'a larger --max-time measures longer';
}

function sign(verdict: RegressionReport['verdict']): Cell {
  const { sign: text, style } = LOOKS[verdict];
  return { text, style };
}

function word(verdict: RegressionReport['verdict']): Cell {
  const { word: text, style } = LOOKS[verdict];
  return { text, style };
}
