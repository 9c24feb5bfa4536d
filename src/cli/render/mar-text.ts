import { formatBytes, plural } from '../../report/format.js';
import type { MarReport } from '../../report/mar-types.js';
import { safeText } from '../../report/safe-text.js';
import { type Cell, type Column, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

const COLUMNS: readonly Column[] = [
  { title: '', flexible: true },
  { title: '', align: 'right' },
];

/** The answer of `serve-opt package mar` for people: the files, how requests are served, what to know. */
export async function renderMar(report: MarReport, options: TextOptions): Promise<string> {
  const { style, columns } = options;
  const rows: Cell[][] = report.files.map(({ path, sizeBytes }) => [safeText(path, 100), formatBytes(sizeBytes)]);
  const title = report.written ? safeText(report.output, 200) : `${safeText(report.output, 200)} (not written)`;
  const lines = [style.bold(title), await renderTable(COLUMNS, rows, { columns, style, indent: 2 })];
  lines.push('', wrapLine(servingPhrase(report), columns));
  for (const note of report.notes) lines.push('', wrapLine(`note: ${safeText(note)}`, columns));
  return lines.join('\n');
}

function servingPhrase({ name, modelVersion, workers, batchSize, preprocess, batching, classes }: MarReport): string {
  const requests = { json: 'tensors in JSON', image: 'images', text: 'texts' }[preprocess];
  const together = batching.kind === 'open' ? `up to ${plural(batchSize, 'request')} together` : 'one by one';
  const top = classes ? `, classes of "${safeText(classes.output, 60)}"` : '';
  return `Served as ${name} ${modelVersion} by ${plural(workers, 'worker')}: ${requests}, ${together}${top}`;
}

/** One line for stderr. */
export function marSummary({ input, output, sizeBytes, files, written }: MarReport): string {
  const made = `${formatBytes(sizeBytes)} · ${plural(files.length, 'file')}`;
  return written ? `${safeText(input.name, 100)} → ${safeText(output, 200)} · ${made}` : `dry run: ${made}`;
}
