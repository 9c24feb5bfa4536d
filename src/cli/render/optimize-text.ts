import { formatInteger, formatNumber, plural } from '../../report/format.js';
import { latencyChange, latencyPhrase, latencyVerdict, ratioInterval } from '../../report/latency-words.js';
import { safeText } from '../../report/safe-text.js';
import type { OptimizeReport, PassReport } from '../../report/types.js';
import { checksOf, isBitForBit } from '../../report/verification-words.js';
import { judgedText } from './budgets-text.js';
import { countRow, latencyRows, sizePhrase, sizeRow } from './change-rows.js';
import { type ChangeRow, changesTableText } from './changes-table.js';
import { checksLine } from './checks-line.js';
import { explanationText } from './explanation-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface OptimizeTextOptions extends TextOptions {
  /** Where the model was written, as the user would type it; undefined when it was not. */
  readonly outputPath: string | undefined;
  /** A pass to explain, '' for all; undefined for none. */
  readonly explain: string | undefined;
}

/** Passes shown without `-v`: those that removed most. */
const SHORT_LIST = 15;

/** The answer of `serve-opt optimize` for people: what changed, pass by pass, what was left out, and where the model is. */
export async function renderOptimize(report: OptimizeReport, options: OptimizeTextOptions): Promise<string> {
  const { style } = options;
  const line = (text: string): string => wrapLine(text, options.columns);
  const parts = [await changesTable(report, options)];
  if (report.passes.length > 0) parts.push('', await passesTable(report.passes, options));
  if (options.explain !== undefined) parts.push('', explanationText(report, options.explain, options));
  parts.push('');
  for (const { pass, ratio, ratioLow, ratioHigh } of report.slower) {
    const times = `${formatNumber(ratio)}×${ratioInterval(ratioLow, ratioHigh)}`;
    parts.push(line(`${style.warning} left out ${pass}: with it the model takes ${times} as long here`));
  }
  if (report.latency !== undefined && latencyVerdict(report.latency) === 'slower')
    parts.push(line(`${style.warning} slower here: ${latencyPhrase(report.latency)}`));
  parts.push(line(checksLine(checksOf(report), options)));
  for (const note of report.notes) parts.push(line(`note: ${safeText(note)}`));
  parts.push(...(await judgedText(report, options)));
  if (options.outputPath !== undefined) parts.push('', safeText(options.outputPath));
  return parts.join('\n');
}

/** `model.onnx 97.8 MB → 97.5 MB (−0.3 %) · 122 → 76 nodes · p50 42.6 ms → 39.8 ms`. */
export function optimizeSummary(report: OptimizeReport): string {
  const parts = [sizePhrase(report), `${report.nodesBefore} → ${plural(report.nodesAfter, 'node')}`];
  if (report.latency !== undefined) parts.push(latencyChange(report.latency));
  return parts.join(' · ');
}

async function changesTable(report: OptimizeReport, options: TextOptions): Promise<string> {
  const { nodesBefore, nodesAfter, latency } = report;
  const rows = [sizeRow(report), countRow('nodes', nodesBefore, nodesAfter), ...latencyRows(latency)];
  const equality = equalityRow(report);
  if (equality !== undefined) rows.push(equality);
  const result = report.verification.runs === 'unchanged' ? 'unchanged' : 'optimized';
  return changesTableText(report.input.name, result, rows, options);
}

/** How alike the outputs are, and on what. */
function equalityRow({ verification }: OptimizeReport): ChangeRow | undefined {
  const { outputs, samples, edges } = verification;
  if (outputs === undefined || samples === undefined) return undefined;
  const on = `${plural(samples, 'sample')}, ${plural(edges ?? 0, 'edge case')}`;
  if (isBitForBit(outputs)) return ['outputs', '', 'equal', `bit for bit: ${on}`];
  const worst = Math.max(...outputs.map(({ worst: { ofLargest } }) => ofLargest));
  return ['largest error', '', formatNumber(worst), `of the largest: ${on}`];
}

async function passesTable(passes: readonly PassReport[], options: TextOptions): Promise<string> {
  const busiest = [...passes].sort((a, b) => a.nodesDelta - b.nodesDelta || b.rewrites - a.rewrites);
  const shown = options.verbosity > 0 ? new Set(passes) : new Set(busiest.slice(0, SHORT_LIST));
  const rows = passes
    .filter((pass) => shown.has(pass))
    .map(({ pass, rewrites, nodesDelta }): readonly Cell[] => [
      pass,
      formatInteger(rewrites),
      nodesDelta === 0 ? '' : `${nodesDelta > 0 ? '+' : ''}${formatInteger(nodesDelta)}`,
    ]);
  const titles = [
    { title: 'pass', flexible: true },
    { title: 'rewrites', align: 'right' },
    { title: 'nodes', align: 'right' },
  ] as const;
  const table = await renderTable(titles, rows, options);
  const hidden = passes.length - rows.length;
  return hidden > 0 ? `${table}\nand ${plural(hidden, 'pass', 'passes')} more: add -v` : table;
}
