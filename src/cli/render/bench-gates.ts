import type { BenchReport } from '../../report/bench-types.js';
import {
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
import { withClauses } from './clauses.js';
import { gateLine, isTooWide, signCell, verdictLine, wordCell } from './gate-lines.js';
import { type Cell, renderTable } from './table.js';
import { wrapLine } from './wrap.js';

/** Regressions: how much slower, what noise there was, the verdict and why. */
export async function regressionsText(report: BenchReport, options: BenchTextOptions): Promise<string> {
  const { regressions } = report;
  const { style, verbosity, columns } = options;
  const rows = regressions.map((each): readonly Cell[] => [
    signCell(each.verdict),
    regressionPhrase(each),
    { text: each.ratio === undefined ? '–' : ratioChange(each.ratio.value), style: 'bold' },
    { text: ratioRange(each), style: 'dim' },
    wordCell(each.verdict),
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

/** `✗ FAIL  2 of 4 budgets broken; slower than the baseline`. */
export function verdictText(report: BenchReport, options: BenchTextOptions): string {
  const verdict = report.verdict ?? 'pass';
  const more = verdict === 'inconclusive' ? `: too little data, ${whatHelps(report)}` : '';
  return verdictLine(verdict, `${verdictReasons(report)}${more}`, options);
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
