import type { ComparisonResult, MetricComparison, OutputDifference } from '../../evaluate/comparison.js';
import { formatNumber, formatPercent, formatPoints, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';

/** Output by output how far B is from A, then the metrics where there are labels. */
export async function renderComparison(comparison: ComparisonResult, options: TextOptions): Promise<string> {
  const { style } = options;
  const parts = [
    `${style.bold('Outputs')} on ${sourcePhrase(comparison)}`,
    await outputsTable(comparison.outputs, options),
  ];
  for (const [model, names] of [
    ['A', comparison.unmatched.a],
    ['B', comparison.unmatched.b],
  ] as const) {
    if (names.length > 0) {
      const list = names.map((name) => safeText(name, 100)).join(', ');
      parts.push(`  ${style.warning} only in ${model}: ${list}`);
    }
  }
  const metrics = comparison.metrics ?? [];
  if (metrics.length > 0) parts.push('', style.bold('Metrics'), await metricsTable(metrics, options));
  if (comparison.metricsSkipped !== undefined) parts.push(`no metric: ${safeText(comparison.metricsSkipped)}`);
  return parts.join('\n');
}

/** `64 samples of calib.npz`, `16 made-up samples (seed 0)`. */
export function sourcePhrase({ source, samples }: ComparisonResult): string {
  if (source.kind === 'seeded') return `${plural(samples, 'made-up sample')} (seed ${source.seed})`;
  const from = source.first > 0 ? `, from number ${source.first + 1}` : '';
  return `${plural(samples, 'sample')} of ${safeText(source.name, 100)}${from}`;
}

/** The one number to quote of how alike two models are. */
export interface Agreement {
  readonly value: string;
  /** What the value is, to stand after it: `same top-1`. */
  readonly what: string;
}

/**
 * Share of equal decisions where there are classes, else the worst SQNR, else the share of equal elements. With labels it
 * is the output they are about; without, the first: rows of numbers after it need not be classes (a sentence's embedding).
 */
export function agreementOf({ outputs, metrics }: ComparisonResult): Agreement | undefined {
  const labelled = metrics?.[0]?.output;
  const decided =
    outputs.find(({ name, top1Agreement }) => name === labelled && top1Agreement) ??
    outputs.find(({ top1Agreement }) => top1Agreement);
  if (decided?.top1Agreement) return { value: formatPercent(decided.top1Agreement.value), what: 'same top-1' };
  const noise = outputs.flatMap((output) => (output.sqnrDb === undefined ? [] : [output.sqnrDb]));
  if (noise.length > 0) return { value: formatSqnr(Math.min(...noise)), what: 'SQNR' };
  const equal = outputs.flatMap((output) => (Number.isNaN(output.exactEqual) ? [] : [output.exactEqual]));
  return equal.length === 0 ? undefined : { value: formatPercent(Math.min(...equal)), what: 'equal' };
}

/** `top-1 accuracy −0.2 pt`. */
export function metricPhrase(metric: MetricComparison): string {
  return `${metric.metric} ${formatDifference(metric)}`;
}

/** Metrics that are not shares of a whole. */
const PLAIN_METRICS = new Set<string>(['mean absolute error', 'root mean square error']);

export function formatMetric(metric: MetricComparison, value: number): string {
  return PLAIN_METRICS.has(metric.metric) ? formatNumber(value, 4) : formatPercent(value);
}

export function formatDifference(metric: MetricComparison): string {
  if (!PLAIN_METRICS.has(metric.metric)) return formatPoints(metric.difference);
  return `${metric.difference > 0 ? '+' : ''}${formatNumber(metric.difference)}`;
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
  const lines = [await renderTable(titles, rows, { ...options, indent: 2 })];
  for (const output of outputs) {
    const name = safeText(output.name, 100);
    const { a, b } = output.nonFinite;
    if (a > 0 || b > 0)
      lines.push(`  ${options.style.warning} ${name}: ${a} values of A and ${b} of B are NaN or infinite`);
    if (output.shapeMismatches > 0) {
      lines.push(`  ${options.style.warning} ${name}: shapes differ in ${plural(output.shapeMismatches, 'run')}`);
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

function formatSqnr(sqnrDb: number): string {
  return Number.isFinite(sqnrDb) ? `${sqnrDb.toFixed(1)} dB` : formatNumber(sqnrDb);
}

function optional(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '' : format(value);
}
