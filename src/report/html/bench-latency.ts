import type { LatencyReport, SegmentReport } from '../../bench/results.js';
import type { BudgetReport } from '../../gates/budget-report.js';
import { formatLatency } from '../bench-format.js';
import type { ConfigurationReport } from '../bench-types.js';
import { hasWindows, isServer, quantileOf } from '../bench-words.js';
import { formatInteger, formatPercent, plural } from '../format.js';
import { percentileName } from '../percentile-name.js';
import { kindFor } from '../svg/bins.js';
import { WIDE_CHART } from '../svg/chart.js';
import { histogram, type TimeMark } from '../svg/histogram.js';
import { percentileCurve } from '../svg/percentile-curve.js';
import { sortedLatencies } from '../svg/samples.js';
import { timeline } from '../svg/timeline.js';
import { figureText, intervalText, isFigure, MISSING } from './figures.js';
import { element, fragment, type Markup } from './markup.js';
import { byWidth, empty, figure, keyValues, named, table } from './parts.js';

/** How much a page of many configurations can hold of each. */
export interface Density {
  readonly mostBins: number;
  readonly curvePoints: number;
  /** Drawings over the whole width are made again for narrow screens; else there is the narrow one only. */
  readonly isWide: boolean;
  /** Of a timeline of many requests. */
  readonly columnWidth: number;
  readonly profileRows: number;
  /** Cold starts that are drawn. */
  readonly starts: number;
}

/** Metrics of budgets that are a latency of single requests, and so have a place among them. */
const ON_LATENCY_AXIS = /^(p[\d.]+|min|mean|median|max|latency)$/;

/** The distribution of a configuration's latencies: three drawings and the figures behind them. */
export function latencyPart(
  configuration: ConfigurationReport,
  budgets: readonly BudgetReport[],
  density: Density,
): Markup | undefined {
  const { label, latency, segments = [] } = configuration;
  if (latency === undefined) return undefined;
  const sorted = sortedLatencies(segments);
  // A server runs already: its rounds are windows of time, not fresh processes.
  const fromServer = isServer(configuration);
  const hasCurve = sorted.length > 0 || latency.quantiles.some(({ ms }) => isFigure(ms));
  const missing = empty(latency.runs > 0 ? 'The single requests were not kept.' : 'There was no request to draw.');
  return fragment(
    element('h3', {}, 'Latency'),
    element(
      'div',
      { class: 'charts' },
      figure(
        'Histogram',
        histogramWords(latency, sorted, segments),
        sorted.length === 0
          ? missing
          : histogram({
              label: `Histogram of latencies of ${label}`,
              sorted,
              marks: marksOf(latency, budgets),
              mostBins: density.mostBins,
            }),
      ),
      figure(
        'Percentiles',
        curveWords(latency, sorted),
        hasCurve
          ? percentileCurve({
              label: `Percentiles of latency of ${label}`,
              sorted,
              quantiles: latency.quantiles,
              points: density.curvePoints,
            })
          : empty('There was no percentile to draw.'),
      ),
      figure(
        'Over time',
        timelineWords(latency, segments, fromServer),
        sorted.length === 0 ? missing : timelines(label, sorted, segments, fromServer, density),
        density.isWide,
      ),
    ),
    quantileTable(latency),
    latencyFacts(latency, fromServer),
  );
}

function timelines(
  label: string,
  sorted: Float64Array,
  segments: readonly SegmentReport[],
  fromServer: boolean,
  { isWide, columnWidth }: Density,
): Markup {
  const options = {
    label: `Latency over time of ${label}`,
    segments,
    kind: kindFor(sorted),
    roundName: fromServer ? 'window' : 'process',
  };
  return isWide
    ? byWidth(timeline({ ...options, width: WIDE_CHART }), timeline(options))
    : timeline({ ...options, columnWidth });
}

function marksOf({ quantiles }: LatencyReport, budgets: readonly BudgetReport[]): readonly TimeMark[] {
  const marks: TimeMark[] = [];
  for (const { probability, ms } of quantiles) {
    // Between them p95 says little, and its name finds no room.
    if (isFigure(ms) && probability !== 0.95) marks.push({ name: percentileName(probability), ms, style: 'quantile' });
  }
  for (const { metric, budget, unit, limit } of budgets) {
    if (unit === 'ms' && isFigure(limit) && ON_LATENCY_AXIS.test(metric)) {
      marks.push({ name: `budget ${metric} ${budget}`, ms: limit, style: 'budget' });
    }
  }
  return marks;
}

function histogramWords(latency: LatencyReport, sorted: Float64Array, segments: readonly SegmentReport[]): string {
  const p50 = quantileOf(latency.quantiles, 0.5)?.ms;
  const parts = [
    sorted.length === 1 ? 'One request.' : `How often which latency occurred in ${plural(latency.runs, 'request')}.`,
  ];
  if (isFigure(p50) && sorted.length > 1) {
    parts.push(`Half took ${formatLatency(p50)} or less, the slowest ${figureText(latency.maxMs, formatLatency)}.`);
  }
  const every = segments.reduce((most, segment) => Math.max(most, segment.every), 1);
  if (every > 1) parts.push(`Drawn from 1 in ${formatInteger(every)} of them.`);
  return parts.join(' ');
}

function curveWords({ quantiles }: LatencyReport, sorted: Float64Array): string {
  const parts = ['Each further nine takes the same width, so the tail can be read.'];
  if (quantiles.some(({ ms, lowMs }) => isFigure(ms) && isFigure(lowMs)))
    parts.push('The band holds the 95 % intervals of the dots, and follows the curve between them.');
  if (sorted.length > 1) parts.push('Dashed where there are too few runs.');
  return parts.join(' ');
}

function timelineWords(latency: LatencyReport, segments: readonly SegmentReport[], fromServer: boolean): string {
  const rounds = new Set(segments.map(({ round }) => round)).size;
  const name = fromServer ? plural(rounds, 'window', 'windows') : plural(rounds, 'fresh process', 'fresh processes');
  const { outliers, stable } = latency;
  const unstable = hasWindows(latency)
    ? 'The last three windows of time do not agree: not stable.'
    : 'Too few runs to decide whether it is stable.';
  const parts = [
    rounds > 1
      ? `Each request at the time at which it started, in ${name} one after the other.`
      : 'Each request at the time at which it started.',
    `${plural(outliers.mild + outliers.severe, 'outlier')}, all counted and none removed.`,
    stable ? 'The last three windows of time agree.' : unstable,
  ];
  return parts.join(' ');
}

function quantileTable({ quantiles, runs }: LatencyReport): Markup | undefined {
  if (quantiles.length === 0) return undefined;
  return table(
    'Percentiles of latency',
    [
      { title: 'Percentile' },
      { title: 'Latency', kind: 'number' },
      { title: '95 % interval', kind: 'number' },
      { title: 'Meaning', kind: 'why' },
    ],
    quantiles.map(({ probability, ms, lowMs, highMs, why }) => ({
      cells: [
        percentileName(probability),
        figureText(ms, formatLatency),
        intervalText(lowMs, highMs, 'ms') ?? MISSING,
        why === undefined ? meaning(probability, runs) : named(why),
      ],
    })),
  );
}

function meaning(probability: number, runs: number): string {
  const slower = runs - Math.ceil(Number((probability * runs).toPrecision(12)));
  return probability === 0.5
    ? 'half of the requests took longer'
    : `${formatInteger(slower)} of ${formatInteger(runs)} took longer`;
}

function latencyFacts(latency: LatencyReport, fromServer: boolean): Markup {
  const { runs, failures, minMs, meanMs, maxMs, autocorrelation, effectiveRuns, outliers, stable, processes } = latency;
  const medians = processes.map(({ p50Ms }) => p50Ms).filter(isFigure);
  const spread = medians.length > 1 ? Math.max(...medians) / Math.min(...medians) - 1 : undefined;
  return keyValues([
    ['Requests timed', formatInteger(runs)],
    ['Failures', formatInteger(failures)],
    ['Fastest', figureText(minMs, formatLatency)],
    ['Mean', figureText(meanMs, formatLatency)],
    ['Slowest', figureText(maxMs, formatLatency)],
    ['Outliers, mild and severe', `${formatInteger(outliers.mild)} and ${formatInteger(outliers.severe)}`],
    ['Autocorrelation of neighbours', figureText(autocorrelation, (value) => value.toFixed(2).replace('-', '−'))],
    ['Equivalent independent runs', figureText(effectiveRuns, formatInteger)],
    ['Stable to the end', stable ? 'yes' : 'no'],
    [
      fromServer ? 'Medians of windows' : 'Medians of processes',
      medians.length > 1 ? medians.map(formatLatency).join(', ') : undefined,
    ],
    [
      fromServer ? 'Slowest window over fastest' : 'Slowest process over fastest',
      spread === undefined ? undefined : figureText(spread, (value) => `+${formatPercent(value)}`),
    ],
  ]);
}
