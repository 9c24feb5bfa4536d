/** How the verdict of a gate looks, whatever the gate is about. */
import type { BenchVerdict, RegressionReport } from '../../bench/results.js';
import { safeText } from '../../report/safe-text.js';
import { visibleWidth } from './clauses.js';
import type { StyleName } from './style.js';
import type { Cell } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

type GateVerdict = RegressionReport['verdict'];

interface VerdictLook {
  readonly sign: string;
  readonly word: string;
  readonly style: StyleName;
}

const LOOKS: Readonly<Record<GateVerdict, VerdictLook>> = {
  pass: { sign: '✓', word: 'pass', style: 'green' },
  fail: { sign: '✗', word: 'FAIL', style: 'red' },
  inconclusive: { sign: '▲', word: 'inconclusive', style: 'yellow' },
  'not-comparable': { sign: '▲', word: 'not comparable', style: 'yellow' },
};

/** The sign of a verdict, for a column of its own. */
export function signCell(verdict: GateVerdict): Cell {
  const { sign: text, style } = LOOKS[verdict];
  return { text, style };
}

/** The word of a verdict. */
export function wordCell(verdict: GateVerdict): Cell {
  const { word: text, style } = LOOKS[verdict];
  return { text, style };
}

/** Whether a terminal would break the lines of a table. */
export function isTooWide(table: string, { columns }: TextOptions): boolean {
  return columns !== undefined && table.split('\n').some((line) => visibleWidth(line) > columns);
}

/** `✗ FAIL  p99 ≤ 10ms: measured 12.5 ms …`: a gate as a sentence, for terminals too narrow for a table. */
export function gateLine(verdict: GateVerdict, what: string, story: string, options: TextOptions): string {
  const { sign: mark, word: text, style } = LOOKS[verdict];
  const head = options.style[style](`${mark} ${text}`);
  return wrapLine(`  ${head}  ${safeText(what)}: ${safeText(story)}`, options.columns, 4);
}

const VERDICT_LINES: Readonly<Record<BenchVerdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

/** `✗ FAIL  2 of 4 budgets broken; slower than the baseline`: all gates together. */
export function verdictLine(verdict: BenchVerdict, reasons: string, { style, columns }: TextOptions): string {
  const look = LOOKS[verdict];
  const title = style.bold(style[look.style](`${look.sign} ${VERDICT_LINES[verdict]}`));
  return wrapLine(`${title}  ${reasons}`, columns, 2);
}
