/** What is said of two models on the same samples, on the terminal and in pages. */
import type { ComparisonResult, MetricComparison, OutputDifference } from '../evaluate/comparison.js';
import { formatNumber, formatPercent, formatPoints, plural } from './format.js';
import { safeText } from './safe-text.js';

/** `64 samples of calib.npz`, `16 synthetic samples (seed 0)`. */
export function sourcePhrase({ source, samples }: ComparisonResult): string {
  if (source.kind === 'seeded') return `${plural(samples, 'synthetic sample')} (seed ${source.seed})`;
  const from = source.first > 0 ? `, from number ${source.first + 1}` : '';
  return `${plural(samples, 'sample')} of ${safeText(source.name, 100)}${from}`;
}

/** The one number to quote of how alike two models are. */
export interface Agreement {
  readonly value: string;
  /** What the value is, to stand after it: `same top-1`. */
  readonly what: string;
  /** Other measures of the same output, where there are any: `SQNR 31.2 dB, cosine 0.99912`. */
  readonly beside?: string;
}

/**
 * Share of equal decisions where there are classes, else the worst SQNR, else the share of equal elements. With labels it
 * is the output they are about; without, the first. What cannot be compared comes before anything else.
 */
export function agreementOf({ outputs, metrics }: ComparisonResult): Agreement | undefined {
  // Of two types nothing can be said; where one side is not a number throughout, all is.
  const broken = outputs.find(
    ({ incomparable, nonFinite }) => incomparable !== undefined && nonFinite.a + nonFinite.b > 0,
  );
  if (broken) return { value: 'not comparable', what: `(${safeText(broken.name, 60)}: ${broken.incomparable})` };
  const labelled = metrics?.[0]?.output;
  const decided =
    outputs.find(({ name, top1Agreement }) => name === labelled && top1Agreement) ??
    outputs.find(({ top1Agreement }) => top1Agreement);
  const lost = outputs.reduce((sum, { nonFinite }) => sum + nonFinite.lost, 0);
  const lostWords = lost === 0 ? [] : [`${plural(lost, 'value')} lost to NaN or infinity`];
  if (decided?.top1Agreement) {
    const { top1Agreement, sameDecisions, measure, sqnrDb, cosine } = decided;
    const [same, what] =
      measure?.kind === 'decisions' && sameDecisions
        ? [sameDecisions, 'on the same side of 0.5']
        : [top1Agreement, 'same top-1'];
    const beside = [
      ...(sqnrDb === undefined ? [] : [`SQNR ${formatSqnr(sqnrDb)}`]),
      ...(cosine === undefined ? [] : [`cosine ${cosine.toFixed(5)}`]),
      ...lostWords,
    ];
    return {
      value: formatPercent(same.value),
      what,
      ...(beside.length > 0 ? { beside: beside.join(', ') } : {}),
    };
  }
  const noise = outputs.flatMap((output) => (output.sqnrDb === undefined ? [] : [output.sqnrDb]));
  if (noise.length > 0) {
    const beside = lostWords.length > 0 ? { beside: lostWords.join() } : {};
    return { value: formatSqnr(Math.min(...noise)), what: 'SQNR', ...beside };
  }
  const equal = outputs.flatMap((output) => (Number.isNaN(output.exactEqual) ? [] : [output.exactEqual]));
  return equal.length === 0 ? undefined : { value: formatPercent(Math.min(...equal)), what: 'equal' };
}

/** `top-1 accuracy −0.2 pt`. */
export function metricPhrase(metric: MetricComparison): string {
  return `${metric.metric} ${formatDifference(metric)}`;
}

/** Metrics that are not shares of a whole. */
const PLAIN_METRICS = new Set<string>(['mean absolute error', 'root mean square error']);

/** A metric's value in its own unit. */
export function formatMetric(metric: MetricComparison, value: number): string {
  return PLAIN_METRICS.has(metric.metric) ? formatNumber(value, 4) : formatPercent(value);
}

/** How far B is from A, in the metric's own unit. */
export function formatDifference(metric: MetricComparison): string {
  if (!PLAIN_METRICS.has(metric.metric)) return formatPoints(metric.difference);
  return `${metric.difference > 0 ? '+' : ''}${formatNumber(metric.difference)}`;
}

/** Decibels; infinite where nothing differs. */
export function formatSqnr(sqnrDb: number): string {
  return Number.isFinite(sqnrDb) ? `${sqnrDb.toFixed(1)} dB` : formatNumber(sqnrDb);
}

/** What was scored and why, and how to have it otherwise; nothing without metrics. */
export function scoringSentence({ metrics = [] }: ComparisonResult): string | undefined {
  const [metric] = metrics;
  return metric && `Scored: ${metric.explanation}. Choose otherwise with --metric and --output-name.`;
}

/** So far below the whole a channel is worth a word, in dB. */
const FAR_BELOW_DB = 10;

/** The channel that lost most, where that is far from the whole: `worst channel 3 of 5 (axis 1): 0.1 dB`. */
export function channelPhrase({ worstChannel, sqnrDb: whole }: OutputDifference): string | undefined {
  if (worstChannel === undefined || (whole ?? 0) - worstChannel.sqnrDb < FAR_BELOW_DB) return undefined;
  const { axis, index, channels, sqnrDb } = worstChannel;
  return `worst channel ${index} of ${channels} (axis ${axis}): ${formatSqnr(sqnrDb)}`;
}
