/** A model that was made or compared, for a comment on a pull request. */
import { budgetsClause } from '../budget-words.js';
import { formatDifference, formatMetric } from '../comparison-words.js';
import { formatBytes, formatChange, formatDuration, formatInteger, sentence } from '../format.js';
import { latencyPhrase } from '../latency-words.js';
import type { ModelReport } from '../model-report.js';
import { modelSizeBytes } from '../model-size.js';
import { budgetsTable, VERDICT_SIGNS } from './markdown-budgets.js';
import { quantizeDetails } from './markdown-quantize.js';
import { markdownCode, markdownProse } from './markdown-text.js';
import { MarkdownWriter } from './markdown-writer.js';
import { checksOf, comparisonOf, modelsOf } from './model-facts.js';

/** Warnings that are listed. */
const TOP_WARNINGS = 20;

/** @param maximumBytes rows beyond are cut and counted */
export function modelMarkdown(report: ModelReport, maximumBytes: number): string {
  const page = new MarkdownWriter(maximumBytes);
  const { command, verdict, budgets = [] } = report;
  page.block(`<!-- serve-opt ${command} -->`);
  if (verdict === undefined) page.block(`### serve-opt ${command}`, '');
  else
    page.block(
      `### ${VERDICT_SIGNS[verdict]} serve-opt ${command}: ${verdict}`,
      '',
      sentence(budgetsClause(budgets)),
      '',
    );
  budgetsTable(page, budgets, false);
  changes(page, report);
  if (report.command === 'quantize') quantizeDetails(page, report);
  page.block(markdownProse(checksOf(report).text), '');
  const shown = report.warnings.slice(0, TOP_WARNINGS).map((text) => `- ⚠️ ${markdownProse(text)}`);
  const more = report.warnings.length - shown.length;
  if (shown.length > 0) page.block(...shown, ...(more > 0 ? [`- and ${formatInteger(more)} more`] : []), '');
  if (report.reading?.summary) page.block(sentence(`Data: ${markdownProse(report.reading.summary)}`), '');
  const runtime =
    report.onnxRuntimeVersion === undefined ? '' : `, ONNX Runtime ${markdownCode(report.onnxRuntimeVersion)}`;
  page.block(`serve-opt ${markdownCode(report.version)}${runtime}`, '');
  return page.text();
}

/** Size, latency and metrics, before and after. */
function changes(page: MarkdownWriter, report: ModelReport): void {
  const [before, after] = modelsOf(report);
  const [sizeBefore, sizeAfter] = [modelSizeBytes(before), modelSizeBytes(after)];
  const rows = [['size', formatBytes(sizeBefore), formatBytes(sizeAfter), formatChange(sizeBefore, sizeAfter)]];
  const { latency } = report;
  if (latency !== undefined) {
    const { p50MsA, p50MsB } = latency;
    rows.push(['p50 latency', formatDuration(p50MsA), formatDuration(p50MsB), latencyPhrase(latency)]);
  }
  for (const metric of comparisonOf(report)?.metrics ?? []) {
    const { a, b } = metric;
    rows.push([
      markdownProse(metric.metric),
      formatMetric(metric, a.value),
      formatMetric(metric, b.value),
      `${formatDifference(metric)} on ${formatInteger(a.n)}`,
    ]);
  }
  const names = [before.name, after.name].map((name) => ({ title: markdownCode(name), right: true }));
  page.table([{ title: '' }, ...names, { title: 'change' }], rows);
}
