import { formatBytes, formatChange } from '../../report/format.js';
import { latencyChange, latencyPhrase } from '../../report/latency-words.js';
import { modelSizeBytes } from '../../report/model-size.js';
import { safeText } from '../../report/safe-text.js';
import type { CompareReport } from '../../report/types.js';
import { judgedText } from './budgets-text.js';
import { renderComparison } from './comparison-text.js';
import { renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** The answer of `serve-opt compare` for people. */
export async function renderCompare(report: CompareReport, options: TextOptions): Promise<string> {
  const [sizeA, sizeB] = [modelSizeBytes(report.a), modelSizeBytes(report.b)];
  const models = await renderTable(
    [{ title: '' }, { title: '', flexible: true }, { title: '', align: 'right' }, { title: '' }],
    [
      ['A', report.a.name, formatBytes(sizeA), ''],
      ['B', report.b.name, formatBytes(sizeB), formatChange(sizeA, sizeB)],
    ],
    options,
  );
  const parts = [models, '', await renderComparison(report.comparison, options)];
  if (report.latency !== undefined) {
    parts.push(
      '',
      wrapLine(
        `${options.style.bold('Latency')} ${latencyChange(report.latency)}, ${latencyPhrase(report.latency)}`,
        options.columns,
      ),
    );
  }
  parts.push(...(await judgedText(report, options)));
  for (const note of report.notes) parts.push('', wrapLine(`note: ${safeText(note)}`, options.columns));
  return parts.join('\n');
}
