import { metricPhrase, scoringSentence } from '../../report/comparison-words.js';
import { formatBytes, formatChange, formatInteger, formatNumber, plural } from '../../report/format.js';
import { latencyChange, latencyPhrase, latencyVerdict } from '../../report/latency-words.js';
import type {
  DroppedBlockReport,
  OutsideLayerReport,
  PruneAttemptReport,
  PruneReport,
} from '../../report/prune-types.js';
import {
  allocationSentence,
  attemptWords,
  changeWords,
  cutSentence,
  repairSentence,
  sparsityPhrase,
} from '../../report/prune-words.js';
import { safeText } from '../../report/safe-text.js';
import { checksOf } from '../../report/verification-words.js';
import { judgedText } from './budgets-text.js';
import { agreementRows, countRow, latencyRows, metricRows, sizePhrase, sizeRow } from './change-rows.js';
import { changesTableText } from './changes-table.js';
import { checksLine } from './checks-line.js';
import { runtimesText } from './sparsity-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface PruneTextOptions extends TextOptions {
  /** Where the model was written, as the user would type it; undefined when it was not. */
  readonly outputPath: string | undefined;
  /** List what stays whole, and why. */
  readonly explain: boolean;
}

/** Rows of a table without `-v`. */
const SHORT_LIST = 15;

/** The answer of `serve-opt prune` for people: what it costs before and after, group by group, what stays, and where the model is. */
export async function renderPrune(report: PruneReport, options: PruneTextOptions): Promise<string> {
  const { style } = options;
  const line = (text: string): string => wrapLine(text, options.columns);
  const parts = [await changesTable(report, options), ''];
  if (report.groups.length > 0) parts.push(await groupsTable(report, options), '');
  if (report.blocks !== undefined) parts.push(await blocksTable(report.blocks, options), '');
  if (report.attempts !== undefined) parts.push(await attemptsTable(report, report.attempts, options), '');
  if (report.weights.length > 0) parts.push(await weightsTable(report, options), '');
  if (report.sparsity) parts.push(await runtimesText(report.sparsity, options), '');
  if (options.explain && report.whole.length > 0)
    parts.push(style.bold('Stays whole:'), await wholeTable(report, options), '');
  else if (report.whole.length > 0)
    parts.push(line(`${plural(report.whole.length, 'axis', 'axes')} of weights stay whole: --explain lists them`));
  if (report.outside !== undefined && report.outside.length > 0)
    parts.push(
      ...(options.explain
        ? [style.bold('In no block that can be dropped:'), await outsideTable(report.outside, options), '']
        : [line(`${plural(report.outside.length, 'layer')} in no block that can be dropped: --explain lists them`)]),
    );
  const cut = cutSentence(report);
  if (cut !== undefined) parts.push(line(cut));
  const allocation = allocationSentence(report);
  if (allocation !== undefined) parts.push(line(allocation));
  const repair = repairSentence(report);
  if (repair !== undefined) parts.push(line(repair));
  if (report.latency !== undefined && latencyVerdict(report.latency) === 'slower')
    parts.push(
      line(
        `${style.warning} slower here: ${latencyPhrase(report.latency)}; kernels like widths that are multiples of 8 or 16 (--align)`,
      ),
    );
  const scoring = report.accuracy && scoringSentence(report.accuracy);
  if (scoring !== undefined) parts.push(line(safeText(scoring)));
  parts.push(line(checksLine(checksOf(report), options)));
  for (const note of report.notes) parts.push(line(`note: ${safeText(note)}`));
  parts.push(...(await judgedText(report, options)));
  if (options.outputPath !== undefined) parts.push('', safeText(options.outputPath));
  return parts.join('\n');
}

/** `resnet50.onnx 97.8 MB → 25.1 MB (−74 %) · parameters 25.5 M → 6.5 M · p50 42.6 ms → 14.8 ms · top-1 accuracy −2 pt`. */
export function pruneSummary(report: PruneReport): string {
  const parts = [
    sizePhrase(report),
    report.weights.length > 0
      ? sparsityPhrase(report)
      : `multiply-adds ${formatChange(report.before.macs, report.after.macs)}`,
  ];
  if (report.latency !== undefined) parts.push(latencyChange(report.latency));
  const metric = report.accuracy?.metrics?.[0];
  if (metric !== undefined) parts.push(metricPhrase(metric));
  return parts.join(' · ');
}

async function changesTable(report: PruneReport, options: TextOptions): Promise<string> {
  const rows = [sizeRow(report)];
  const { compressed, before, after, latency, accuracy } = report;
  if (compressed)
    rows.push([
      'compressed',
      formatBytes(compressed.before),
      formatBytes(compressed.after),
      `${formatChange(compressed.before, compressed.after)} with gzip`,
    ]);
  if (report.weights.length > 0) rows.push(['zero weights', '', sparsityPhrase(report), '']);
  else
    rows.push(
      countRow('parameters', before.parameters, after.parameters),
      countRow('multiply-adds', before.macs, after.macs),
    );
  rows.push(...latencyRows(latency), ...metricRows(accuracy), ...agreementRows(report.verification.comparison));
  return changesTableText(report.input.name, 'pruned', rows, options);
}

function groupsTable({ groups }: PruneReport, options: TextOptions): Promise<string> {
  const titles = [
    { title: 'group', flexible: true },
    { title: 'units' },
    { title: 'before', align: 'right' },
    { title: 'kept', align: 'right' },
  ] as const;
  const rows = groups.map(({ name, kind, units, kept }): readonly Cell[] => [
    safeText(name),
    kind,
    formatInteger(units),
    formatInteger(kept),
  ]);
  return shortTable(titles, rows, 'group', options);
}

function blocksTable(blocks: readonly DroppedBlockReport[], options: TextOptions): Promise<string> {
  const titles = [
    { title: 'block, by its last layer', flexible: true },
    { title: 'layers', align: 'right' },
    { title: 'outputs without it', align: 'right' },
    { title: '' },
  ] as const;
  const rows = blocks.map((block): readonly Cell[] => [
    safeText(block.name),
    formatInteger(block.layers),
    changeWords(block),
    block.dropped ? 'dropped' : '',
  ]);
  return shortTable(titles, rows, 'block', options);
}

function attemptsTable(
  report: PruneReport,
  attempts: readonly PruneAttemptReport[],
  options: TextOptions,
): Promise<string> {
  const titles = [
    { title: 'attempt', align: 'right' },
    { title: report.blocks === undefined ? 'amount' : 'blocks', align: 'right' },
    { title: 'measured', flexible: true },
  ] as const;
  const rows = attempts.map((attempt, at): readonly Cell[] => [
    String(at + 1),
    formatNumber(attempt.amount),
    safeText(attemptWords(attempt)),
  ]);
  return renderTable(titles, rows, options);
}

function outsideTable(outside: readonly OutsideLayerReport[], options: TextOptions): Promise<string> {
  const titles = [{ title: 'layer', flexible: true }, { title: 'operator' }, { title: 'why', flexible: true }] as const;
  const rows = outside.map(({ layer, operator, reason }): readonly Cell[] => [
    safeText(layer),
    safeText(operator),
    safeText(reason),
  ]);
  return renderTable(titles, rows, options);
}

function weightsTable({ weights }: PruneReport, options: TextOptions): Promise<string> {
  const titles = [
    { title: 'layer', flexible: true },
    { title: 'operator' },
    { title: 'weights', align: 'right' },
    { title: 'zero', align: 'right' },
  ] as const;
  const rows = weights.map(({ node, opType, elements, zeros, left }): readonly Cell[] => [
    safeText(left === undefined ? node : `${node}: ${left}`),
    opType,
    formatInteger(elements),
    elements === 0 ? '' : `${((100 * zeros) / elements).toFixed(0)} %`,
  ]);
  return shortTable(titles, rows, 'layer', options);
}

function wholeTable({ whole }: PruneReport, options: TextOptions): Promise<string> {
  const titles = [
    { title: 'weight', flexible: true },
    { title: 'axis', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'why', flexible: true },
  ] as const;
  const rows = whole.map(({ weight, axis, size, reason }): readonly Cell[] => [
    safeText(weight),
    String(axis),
    formatInteger(size),
    safeText(reason),
  ]);
  return renderTable(titles, rows, options);
}

async function shortTable(
  titles: Parameters<typeof renderTable>[0],
  rows: readonly (readonly Cell[])[],
  what: string,
  options: TextOptions,
): Promise<string> {
  const shown = options.verbosity > 0 ? rows : rows.slice(0, SHORT_LIST);
  const table = await renderTable(titles, shown, options);
  const hidden = rows.length - shown.length;
  return hidden > 0 ? `${table}\nand ${plural(hidden, what)} more: add -v` : table;
}
