import type { CheckpointReport } from '../../report/checkpoint-types.js';
import { CHECKPOINT_MODE_WORDS, layerKinds, leftKinds } from '../../report/checkpoint-words.js';
import { formatBytes, formatChange, formatInteger, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { shellWord } from '../../targets/shell-word.js';
import { changesTableText } from './changes-table.js';
import { renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface CheckpointTextOptions extends TextOptions {
  /** Where the folder was written, as the user would type it; undefined when it was not. */
  readonly outputPath: string | undefined;
}

/** `llama 15.0 GB → 4.2 GB (−72 %) · 224 layers`. */
export function checkpointSummary(report: CheckpointReport): string {
  const { input, output, quantized } = report;
  const sizes = `${formatBytes(input.weightBytes)} → ${formatBytes(output.weightBytes)}`;
  return `${safeText(input.name)} ${sizes} (${formatChange(input.weightBytes, output.weightBytes)}) · ${plural(quantized.length, 'layer')}`;
}

/** The answer of `serve-opt quantize --for vllm` for people. */
export async function renderCheckpoint(report: CheckpointReport, options: CheckpointTextOptions): Promise<string> {
  const { style, columns } = options;
  const { input, output, parameters } = report;
  const line = (text: string, indent = 0): string => wrapLine(safeText(text), columns, indent);
  const share = `${((100 * parameters.quantized) / Math.max(1, parameters.total)).toFixed(1)} %`;
  const rows = [
    [
      'weights',
      formatBytes(input.weightBytes),
      formatBytes(output.weightBytes),
      formatChange(input.weightBytes, output.weightBytes),
    ],
  ] as const;
  const parts = [
    await changesTableText(input.name, CHECKPOINT_MODE_WORDS[report.mode], rows, options),
    '',
    line(
      `Quantized ${plural(report.quantized.length, 'layer')}: ${share} of ${formatInteger(parameters.total)} parameters, ${scales(report)}`,
    ),
    await kindsTable(report, options),
  ];
  const left = leftKinds(report);
  if (left.length > 0) {
    parts.push('', style.bold('Stays as it is:'));
    for (const { kind, count, reason } of left)
      parts.push(line(`  ${count === 1 ? kind : `${count} × ${kind}`}: ${reason}`, 4));
  }
  if (report.skipped.length > 0) parts.push('', line(`Not taken along: ${report.skipped.join(', ')}`));
  parts.push('');
  if (report.written)
    parts.push(line(`${style.ok} ${plural(report.rowsReadBack, 'row')} read back from the files, equal within a step`));
  for (const note of report.notes) parts.push(line(`note: ${note}`));
  if (options.outputPath !== undefined)
    parts.push('', safeText(options.outputPath), '', `  ${`vllm serve ${shellWord(options.outputPath)}`}`);
  return parts.join('\n');
}

function scales({ groupSize }: CheckpointReport): string {
  return groupSize === undefined ? 'a scale for each output' : `a scale for each ${groupSize} inputs`;
}

function kindsTable(report: CheckpointReport, options: TextOptions): Promise<string> {
  const rows = layerKinds(report).map(({ kind, layers, parameters, leastSqnrDb }) => [
    kind,
    formatInteger(layers),
    formatInteger(parameters),
    Number.isFinite(leastSqnrDb) ? `${leastSqnrDb.toFixed(1)} dB` : '∞',
  ]);
  return renderTable(KIND_COLUMNS, rows, { ...options, indent: 2 });
}

const KIND_COLUMNS = [
  { title: 'layers', flexible: true, minimumWidth: 16 },
  { title: 'count', align: 'right' },
  { title: 'parameters', align: 'right' },
  { title: 'least SQNR', align: 'right' },
] as const;
