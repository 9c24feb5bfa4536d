import { formatBytes, formatCount, formatInteger, plural } from '../../report/format.js';
import { layersPhrase } from '../../report/layers-phrase.js';
import { modelSizeBytes } from '../../report/model-size.js';
import { safeText } from '../../report/safe-text.js';
import type { SparsityReport } from '../../report/sparsity-types.js';
import type { InspectReport, ReportValue } from '../../report/types.js';
import { floatLayersText } from './layers-text.js';
import { sparsityText } from './sparsity-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Rows of inputs, outputs and operators shown without `-v`. */
const SHORT_LIST = 20;

export interface InspectTextOptions extends TextOptions {
  /** Zeros were asked for: they are shown even where there are none. */
  readonly zeros?: boolean;
}

/** A layer with at least this share of zeros is a pruned one. */
const PRUNED_SHARE = 0.1;

function hasZeros({ layers }: SparsityReport): boolean {
  return layers.some(({ zeros, elements }) => zeros > 0 && zeros >= PRUNED_SHARE * elements);
}

/** The answer of `serve-opt inspect` for people. */
export async function renderInspect(report: InspectReport, options: InspectTextOptions): Promise<string> {
  const { style } = options;
  const parts = [headline(report, options), ''];
  parts.push(style.bold('Inputs:'), await valuesTable(report.inputs, options));
  parts.push(style.bold('Outputs:'), await valuesTable(report.outputs, options), '');
  parts.push(wrapLine(`${style.bold('Size:')} ${sizePhrase(report)}`, options.columns));
  const expression = report.macs?.expression;
  if (expression !== undefined)
    parts.push(
      wrapLine(`  multiply-adds: ${safeText(expression, 200)} (count at other sizes with --dim)`, options.columns),
    );
  if (report.weightBytesByType.length > 0) parts.push(await weightsTable(report, options));
  parts.push('', style.bold('Operators:'), await operatorsTable(report, options), '');
  const list = (title: string, layers: InspectReport['quantizable']): string =>
    wrapLine(`${style.bold(title)} ${safeText(layersPhrase(layers))}`, options.columns);
  parts.push(list('INT8 with samples (--data):', report.quantizable));
  if (report.quantizableWithoutData) parts.push(list('INT8 without samples:', report.quantizableWithoutData));
  if (report.notQuantizable.length > 0) {
    parts.push(style.bold('Stays in FP32 with samples:'), floatLayersText(report.notQuantizable, options));
  }
  if (report.problems.length > 0) parts.push('', style.bold('Problems:'), problemsText(report, options));
  if (report.sparsity && (options.zeros || hasZeros(report.sparsity)))
    parts.push('', await sparsityText(report.sparsity, options));
  for (const note of report.notes) parts.push('', wrapLine(`note: ${safeText(note)}`, options.columns));
  return parts.join('\n');
}

/** What other commands refuse the model for. */
function problemsText({ problems }: InspectReport, options: TextOptions): string {
  const shown = options.verbosity > 0 ? problems : problems.slice(0, SHORT_LIST);
  const lines = shown.map(({ message }) => wrapLine(`  ${options.style.failed} ${safeText(message)}`, options.columns));
  const more = problems.length - shown.length;
  if (more > 0) lines.push(`  and ${formatInteger(more)} more: add -v`);
  return [...lines, '  Other commands refuse such a model unless --allow-invalid is given.'].join('\n');
}

function headline(report: InspectReport, { style }: TextOptions): string {
  const opsets = report.opsets.map((opset) => `${safeText(opset.domain || 'ai.onnx', 60)} ${opset.version}`);
  const producer = `${report.producer.name} ${report.producer.version}`.trim();
  const facts = [
    formatBytes(modelSizeBytes(report.model)),
    `IR ${report.irVersion}`,
    opsets.join(', '),
    ...(producer === '' ? [] : [`from ${safeText(producer, 80)}`]),
  ];
  const lines = [`${style.bold(safeText(report.model.name, 200))} ${facts.join(' · ')}`];
  for (const file of report.model.externalData ?? []) {
    lines.push(style.dim(`  with ${safeText(file.name, 200)} ${formatBytes(file.sizeBytes)}`));
  }
  return lines.join('\n');
}

async function valuesTable(values: readonly ReportValue[], options: TextOptions): Promise<string> {
  if (values.length === 0) return '  none';
  const rows = shortened(
    values.map((value) => [value.name, value.type]),
    options,
  );
  return renderTable(
    [
      { title: '', flexible: true },
      { title: '', flexible: true },
    ],
    rows,
    { ...options, indent: 2 },
  );
}

/** `at batch=1, seq=16`; `a run` where nothing is open. */
function sizesPhrase(sizes: readonly { readonly name: string; readonly size: number }[]): string {
  if (sizes.length === 0) return 'a run';
  return `at ${sizes.map(({ name, size }) => `${safeText(name, 40)}=${size}`).join(', ')}`;
}

function sizePhrase(report: InspectReport): string {
  const { macs } = report;
  const work =
    macs === undefined
      ? []
      : [
          `${formatCount(macs.total)} multiply-adds ${sizesPhrase(macs.sizes ?? [])}${
            macs.unknownNodes === 0 ? '' : ` (${plural(macs.unknownNodes, 'node')} not counted: shape unknown)`
          }`,
        ];
  return [plural(report.nodes, 'node'), `${formatCount(report.parameters)} parameters`, ...work].join(' · ');
}

async function weightsTable(report: InspectReport, options: TextOptions): Promise<string> {
  const rows = report.weightBytesByType.map((row) => [row.type, formatInteger(row.tensors), formatBytes(row.bytes)]);
  const titles = [{ title: 'type' }, { title: 'tensors', align: 'right' }, { title: 'bytes', align: 'right' }] as const;
  return renderTable(titles, rows, { ...options, indent: 2 });
}

async function operatorsTable(report: InspectReport, options: TextOptions): Promise<string> {
  if (report.ops.length === 0) return '  none';
  const rows = shortened(
    report.ops.map((op) => [op.domain === '' ? op.opType : `${op.domain}::${op.opType}`, formatInteger(op.count)]),
    options,
  );
  const titles = [
    { title: '', flexible: true },
    { title: '', align: 'right' },
  ] as const;
  return renderTable(titles, rows, { ...options, indent: 2 });
}

function shortened(rows: readonly (readonly Cell[])[], options: TextOptions): readonly (readonly Cell[])[] {
  if (options.verbosity > 0 || rows.length <= SHORT_LIST) return rows;
  return [...rows.slice(0, SHORT_LIST), [`and ${formatInteger(rows.length - SHORT_LIST)} more: add -v`, '']];
}
