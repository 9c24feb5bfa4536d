import type { BudgetReport } from '../../gates/budget-report.js';
import { formatLatency } from '../bench-format.js';
import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import { quantileOf, throughputUnit } from '../bench-words.js';
import { formatBytes, formatInteger, formatRate, plural } from '../format.js';
import { safeText } from '../safe-text.js';
import { WIDE_CHART } from '../svg/chart.js';
import { type Ridge, ridges } from '../svg/ridges.js';
import { sortedLatencies } from '../svg/samples.js';
import { type TradeOffPoint, tradeOff } from '../svg/trade-off.js';
import { configurationId } from './configuration-id.js';
import { figureText, isFigure } from './figures.js';
import { element, type Markup } from './markup.js';
import { byWidth, empty, figure, lead, named, type Result, result, section, table, under } from './parts.js';

/** Histograms that a reader can still compare. */
const MOST_RIDGES = 6;

/** The whole message stands with the configuration. */
const LONGEST_ERROR = 140;

/** Points whose labels find room in half the width of the page. */
const FEW_POINTS = 8;

/** All configurations beside each other; nothing where there is only one. */
export function overviewSection(report: BenchReport): Markup | undefined {
  const { configurations, suggestion } = report;
  if (configurations.length < 2) return undefined;
  const points = pointsOf(report);
  const rows = ridgesOf(report);
  // Many labels need the whole width.
  const isWide = points.length > FEW_POINTS;
  const drawing = (draw: (width?: number) => Markup): Markup => (isWide ? byWidth(draw(WIDE_CHART), draw()) : draw());
  return section(
    'overview',
    'Configurations',
    suggestion === undefined
      ? undefined
      : lead('Suggested: ', element('b', {}, named(suggestion.configuration)), ': ', named(suggestion.why)),
    overviewTable(report),
    element(
      'div',
      { class: 'charts' },
      figure(
        'Latency against throughput',
        tradeOffWords(points),
        points.length === 0
          ? empty('No configuration has both.')
          : drawing((width) => tradeOff('Throughput over latency of all configurations', points, width)),
        isWide,
      ),
      rows.length < 2
        ? undefined
        : figure(
            'Latencies on one axis',
            ridgesWords(rows, configurations),
            drawing((width) => ridges('Histograms of latency of the first configurations', rows, width)),
            isWide,
          ),
    ),
  );
}

function overviewTable({ configurations, budgets, suggestion }: BenchReport): Markup {
  const has = (test: (configuration: ConfigurationReport) => unknown): boolean => configurations.some(test);
  const gated = budgets.length > 0;
  const [cold, memory, front] = [has((c) => c.coldStart), has((c) => c.memory), has((c) => c.pareto !== undefined)];
  const columns = [
    { title: '#', kind: 'number' as const },
    { title: 'Configuration', kind: 'name' as const },
    ...(gated ? [{ title: 'Budgets', kind: 'short' as const }] : []),
    { title: 'p50', kind: 'number' as const },
    { title: 'p99', kind: 'number' as const },
    { title: 'Throughput', kind: 'number' as const },
    ...(cold ? [{ title: 'Cold start', kind: 'number' as const }] : []),
    ...(memory ? [{ title: 'Memory', kind: 'number' as const }] : []),
    ...(front ? [{ title: 'Front', kind: 'short' as const }] : []),
  ];
  const rows = configurations.map((configuration, i) => {
    const { label, latency, throughput, coldStart, memory: used, pareto, error } = configuration;
    const quantile = (probability: number): string =>
      figureText(quantileOf(latency?.quantiles, probability)?.ms, formatLatency);
    const verdict = worst(budgets.filter((budget) => budget.configuration === label));
    const isSuggested = suggestion?.configuration === label;
    return {
      isBest: isSuggested,
      cells: [
        String(i + 1),
        [
          element('a', { href: `#${configurationId(i)}` }, named(label)),
          isSuggested ? element('span', { class: 'tag main' }, 'suggested') : undefined,
          error === undefined ? undefined : under(named(safeText(error.message, LONGEST_ERROR))),
        ],
        ...(gated ? [verdict === undefined ? '–' : result(verdict)] : []),
        quantile(0.5),
        quantile(0.99),
        figureText(throughput?.value, (value) => formatRate(value, throughputUnit(configuration))),
        ...(cold ? [figureText(coldStart?.median.totalMs, formatLatency)] : []),
        ...(memory ? [figureText(used?.modelBytes, formatBytes)] : []),
        ...(front ? [pareto ? '◆ best' : ''] : []),
      ],
    };
  });
  return table('Configurations', columns, rows);
}

/** One verdict for all budgets of a configuration: a broken one outweighs an open one, that one those that are held. */
function worst(budgets: readonly BudgetReport[]): Result | undefined {
  const verdicts: readonly Result[] = ['fail', 'inconclusive', 'pass'];
  return verdicts.find((verdict) => budgets.some((budget) => budget.verdict === verdict));
}

function pointsOf({ configurations, suggestion }: BenchReport): readonly TradeOffPoint[] {
  return configurations.flatMap(({ label, latency, throughput, memory, pareto }, i) => {
    const latencyMs = quantileOf(latency?.quantiles, 0.5)?.ms;
    const perSecond = throughput?.value;
    if (!isFigure(latencyMs) || !isFigure(perSecond)) return [];
    const isSuggested = suggestion?.configuration === label;
    const point = { number: i + 1, label, latencyMs, perSecond, isBest: pareto === true, isSuggested };
    return [isFigure(memory?.modelBytes) ? { ...point, memoryBytes: memory.modelBytes } : point];
  });
}

function tradeOffWords(points: readonly TradeOffPoint[]): string {
  const parts = ['Better is up and to the left.'];
  const best = points.filter(({ isBest }) => isBest).length;
  if (best > 0) {
    parts.push(
      `Nothing beats the ${best === 1 ? 'blue one' : `${formatInteger(best)} blue ones`} in latency${points.every(({ memoryBytes }) => memoryBytes !== undefined) ? ', throughput and memory' : ' and throughput'} at once.`,
    );
  }
  if (points.some(({ memoryBytes }) => memoryBytes !== undefined)) parts.push('Larger marks take more memory.');
  return parts.join(' ');
}

function ridgesOf({ configurations }: BenchReport): readonly Ridge[] {
  const rows: Ridge[] = [];
  for (const { label, segments, latency } of configurations) {
    if (rows.length === MOST_RIDGES) break;
    const sorted = sortedLatencies(segments ?? []);
    const p99Ms = quantileOf(latency?.quantiles, 0.99)?.ms;
    if (sorted.length > 0) rows.push({ name: label, sorted, ...(isFigure(p99Ms) ? { p99Ms } : {}) });
  }
  return rows;
}

function ridgesWords(rows: readonly Ridge[], configurations: readonly ConfigurationReport[]): string {
  const shown =
    rows.length < configurations.length
      ? ` The first ${rows.length} of ${plural(configurations.length, 'configuration')}.`
      : '';
  return `Each histogram is as high as its fullest bin. The tall line is the median, the dashed one the 99th percentile, where it is known.${shown}`;
}
