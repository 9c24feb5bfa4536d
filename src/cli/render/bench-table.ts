import { formatLatency } from '../../report/bench-format.js';
import type { BenchReport, ConfigurationReport } from '../../report/bench-types.js';
import {
  frontSentence,
  noiseFindings,
  quantileOf,
  scenarioSentence,
  throughputUnit,
} from '../../report/bench-words.js';
import { formatBytes, formatRate } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { type BenchTextOptions, caution } from './bench-layout.js';
import { withClauses } from './clauses.js';
import { latencySparkline } from './sparkline.js';
import { type Cell, type Column, renderTable } from './table.js';
import { wrapLine } from './wrap.js';

/** A terminal that is this wide has room for the shapes of latencies too. */
const WIDE = 100;
const SPARKLINE_CELLS = 16;
/** What a narrow terminal does without, in this order: p50 and throughput are what a sweep is for. */
const DISPENSABLE: readonly string[] = ['cold start', 'memory', 'p99'];
/** A longer name is cut rather than that columns are left out. */
const MOST_NAME = 40;
/** Findings shown without `-v`. */
const SHORT_FINDINGS = 4;

interface MetricColumn extends Column {
  readonly value: (configuration: ConfigurationReport) => number | undefined;
  readonly format: (value: number, configuration: ConfigurationReport) => string;
  /** -1 where less is better. */
  readonly better: 1 | -1;
}

const COLUMNS: readonly MetricColumn[] = [
  metric('p50', ({ latency }) => quantileOf(latency?.quantiles, 0.5)?.ms, formatLatency, -1),
  metric('p99', ({ latency }) => quantileOf(latency?.quantiles, 0.99)?.ms, formatLatency, -1),
  metric(
    'throughput',
    ({ throughput }) => throughput?.value,
    (value, each) => formatRate(value, throughputUnit(each)),
    1,
  ),
  metric('memory', ({ memory }) => memory?.modelBytes, formatBytes, -1),
  metric('cold start', ({ coldStart }) => coldStart?.median.totalMs, formatLatency, -1),
];

function metric(
  title: string,
  value: MetricColumn['value'],
  format: MetricColumn['format'],
  better: 1 | -1,
): MetricColumn {
  return { title, align: 'right', value, format, better };
}

/** One row a configuration; the best of each column is bold, the Pareto front has a mark, an error stands in its row. */
export async function configurationsTable(report: BenchReport, options: BenchTextOptions): Promise<string> {
  const { configurations } = report;
  const { style, columns, ascii } = options;
  const best = COLUMNS.map(({ value, better }) => {
    const values = configurations.map(value).filter((each) => each !== undefined);
    // Where all are alike none is best.
    if (new Set(values).size < 2) return undefined;
    return values.reduce((a, b) => (b * better > a * better ? b : a));
  });
  // Of servers neither memory nor cold starts can be seen.
  const known = COLUMNS.filter(
    ({ title, value }) =>
      title === 'p50' || title === 'p99' || configurations.some((each) => value(each) !== undefined),
  );
  const shown = columnsThatFit(known, configurations, columns);
  const left = known.filter((column) => !shown.includes(column)).map(({ title }) => title);
  const wide = columns !== undefined && columns >= WIDE && left.length === 0;
  const scale = latencyScale(configurations);
  const front = ascii ? '*' : '◆';
  const hasFront = configurations.some(({ pareto }) => pareto);
  const rows = configurations.map((configuration): readonly Cell[] => [
    ...(hasFront ? [configuration.pareto ? ({ text: front, style: 'cyan' } as const) : ''] : []),
    configuration.label,
    ...shown.map((column): Cell => {
      const number = column.value(configuration);
      if (number === undefined) return configuration.error === undefined ? '–' : '';
      const text = column.format(number, configuration);
      return number === best[COLUMNS.indexOf(column)] ? { text, style: 'bold' } : text;
    }),
    ...(wide ? [shape(configuration, scale, options)] : []),
  ]);
  const titles: readonly Column[] = [
    ...(hasFront ? [{ title: '' }] : []),
    { title: 'configuration', flexible: true },
    ...shown.map(({ title }) => ({ title, align: 'right' as const })),
    ...(wide ? [{ title: 'latencies' }] : []),
  ];
  const table = await renderTable(titles, rows, options);
  const errors = configurations.map(({ error }) =>
    error === undefined ? '' : `${style.failed} ${error.code} ${safeText(error.message)}`,
  );
  const parts = [withClauses(table, errors, 1, options), ''];
  if (hasFront) {
    parts.push(wrapLine(style.dim(`${front} ${frontSentence(configurations)}`), columns));
  }
  if (left.length > 0 && options.verbosity === 0) {
    parts.push(wrapLine(style.dim(`no room for ${left.join(', ')}: add -v, or widen the terminal`), columns));
  }
  parts.push(wrapLine(style.dim(scenarioSentence(report)), columns));
  const findings = configurations.flatMap((each) =>
    noiseFindings(each).map((text) => `${safeText(each.label, 60)}: ${text}`),
  );
  const first = options.verbosity > 0 ? [] : findings.slice(0, SHORT_FINDINGS);
  parts.push(...first.map((text) => caution(text, options)));
  if (options.verbosity === 0 && findings.length > first.length) {
    parts.push(`  and ${findings.length - first.length} more such findings: add -v`);
  }
  return parts.join('\n');
}

/** Without some columns where they would cost the names of configurations their ends, by which they differ. */
function columnsThatFit(
  known: readonly MetricColumn[],
  configurations: readonly ConfigurationReport[],
  columns: number | undefined,
): readonly MetricColumn[] {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const widths = known.map(({ title, value, format }) =>
    widest([title, ...configurations.map((each) => format(value(each) ?? 0, each))]),
  );
  // The mark, the name, and gaps of two.
  const names = 1 + 2 + Math.min(MOST_NAME, widest(configurations.map(({ label }) => safeText(label))));
  let width = widths.reduce((sum, each) => sum + each + 2, names);
  const left = new Set<MetricColumn>();
  for (const title of DISPENSABLE) {
    const index = known.findIndex((column) => column.title === title);
    const column = known[index];
    if (columns === undefined || width <= columns || column === undefined) break;
    left.add(column);
    width -= (widths[index] ?? 0) + 2;
  }
  return known.filter((column) => !left.has(column));
}

/** All rows are drawn from nothing to the same latency, so that they can be compared. */
function latencyScale(configurations: readonly ConfigurationReport[]): number {
  const ends = configurations.flatMap(({ latency }) => quantileOf(latency?.quantiles, 0.95)?.ms ?? []);
  return Math.max(0, ...ends);
}

function shape({ segments = [] }: ConfigurationReport, endMs: number, { ascii }: BenchTextOptions): Cell {
  // A first latency of zero makes the scale start there.
  const origin = { round: 0, stream: 0, every: 0, startMs: [0], latencyMs: [0, endMs] };
  const line =
    segments.length === 0 ? undefined : latencySparkline([...segments, origin], SPARKLINE_CELLS, endMs, ascii);
  return line === undefined ? '' : { text: line.text, style: 'cyan' };
}
