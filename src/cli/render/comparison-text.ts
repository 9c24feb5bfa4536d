import type { ComparisonResult, MetricComparison, OutputDifference } from '../../evaluate/comparison.js';
import {
  channelPhrase,
  formatDifference,
  formatMetric,
  formatSqnr,
  scoringSentence,
  sourcePhrase,
} from '../../report/comparison-words.js';
import { formatNumber, formatPercent, plural } from '../../report/format.js';
import { measurePhrase } from '../../report/measure-words.js';
import { safeText } from '../../report/safe-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Output by output how far B is from A, then the metrics where there are labels. */
export async function renderComparison(comparison: ComparisonResult, options: TextOptions): Promise<string> {
  const { style } = options;
  const line = (text: string): string => wrapLine(text, options.columns, 4);
  const parts = [
    line(`${style.bold('Outputs')} on ${sourcePhrase(comparison)}`),
    await outputsTable(comparison.outputs, options),
  ];
  for (const [model, names] of [
    ['A', comparison.unmatched.a],
    ['B', comparison.unmatched.b],
  ] as const) {
    if (names.length > 0) {
      const list = names.map((name) => safeText(name, 100)).join(', ');
      parts.push(line(`  ${style.warning} only in ${model}: ${list}`));
    }
  }
  const metrics = comparison.metrics ?? [];
  if (metrics.length > 0) parts.push('', style.bold('Metrics'), await metricsTable(metrics, options));
  const scoring = scoringSentence(comparison);
  if (scoring !== undefined) parts.push(line(`  ${safeText(scoring)}`));
  if (comparison.metricsSkipped !== undefined) parts.push(line(`no metric: ${safeText(comparison.metricsSkipped)}`));
  return parts.join('\n');
}

async function outputsTable(outputs: readonly OutputDifference[], options: TextOptions): Promise<string> {
  const titles = [
    { title: 'output', flexible: true },
    { title: 'type' },
    { title: 'max |A−B|', align: 'right' },
    { title: 'mean |A−B|', align: 'right' },
    { title: 'SQNR', align: 'right' },
    { title: 'cosine', align: 'right' },
    { title: 'same', align: 'right' },
  ] as const;
  const rows = outputs.map((output): readonly Cell[] => {
    const type = output.dataTypeA === output.dataTypeB ? output.dataTypeA : `${output.dataTypeA}/${output.dataTypeB}`;
    if (output.incomparable !== undefined) return [`${output.name} (${output.incomparable})`, type, '', '', '', '', ''];
    return [
      output.name,
      type,
      optional(output.maxAbs, formatNumber),
      optional(output.meanAbs, formatNumber),
      optional(output.sqnrDb, formatSqnr),
      optional(output.cosine, (value) => value.toFixed(5)),
      output.top1Agreement === undefined
        ? formatPercent(output.exactEqual)
        : `${formatPercent(output.top1Agreement.value)} top-1`,
    ];
  });
  const remark = (text: string): string => wrapLine(`  ${options.style.warning} ${text}`, options.columns, 4);
  const lines = [await renderTable(titles, rows, { ...options, indent: 2 })];
  for (const output of outputs) {
    const name = safeText(output.name, 100);
    const { a, b } = output.nonFinite;
    if (a > 0 || b > 0) lines.push(remark(`${name}: ${a} values of A and ${b} of B are NaN or infinite`));
    const measure = measurePhrase(output);
    if (measure !== undefined) lines.push(wrapLine(`  ${name}: ${safeText(measure, 400)}`, options.columns, 4));
    const channel = output.measure?.kind === 'values' ? undefined : channelPhrase(output);
    if (channel !== undefined) lines.push(wrapLine(`  ${name}: ${channel}`, options.columns, 4));
    if (output.shapeMismatches > 0) {
      lines.push(remark(`${name}: shapes differ in ${plural(output.shapeMismatches, 'run')}`));
    }
  }
  return lines.join('\n');
}

async function metricsTable(metrics: readonly MetricComparison[], options: TextOptions): Promise<string> {
  const titles = [
    { title: 'metric' },
    { title: 'output', flexible: true },
    { title: 'A', align: 'right' },
    { title: 'B', align: 'right' },
    { title: 'B−A', align: 'right' },
    { title: 'n', align: 'right' },
  ] as const;
  const rows = metrics.map((metric) => [
    metric.metric,
    metric.output,
    formatMetric(metric, metric.a.value),
    formatMetric(metric, metric.b.value),
    formatDifference(metric),
    metric.a.n,
  ]);
  return renderTable(titles, rows, { ...options, indent: 2 });
}

function optional(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '' : format(value);
}
