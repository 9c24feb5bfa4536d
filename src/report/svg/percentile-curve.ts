import type { QuantileReport } from '../../bench/results.js';
import { formatLatency, formatLatencyRange } from '../bench-format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { percentileName } from '../percentile-name.js';
import { kindFor } from './bins.js';
import { CHART_WIDTH, chart, path, timeUnit, tooltip, xAxis, yAxis } from './chart.js';
import { atRank, isTime } from './samples.js';
import { createScale, linearScale, type Scale } from './scale.js';

export interface PercentileCurveOptions {
  readonly label: string;
  /** Sorted, finite; may be empty. */
  readonly sorted: Float64Array;
  readonly quantiles: readonly QuantileReport[];
  readonly points?: number;
}

const HEIGHT = 270;
/** Enough for a line without corners at the usual width. */
const POINTS = 240;
/** Of the band between two percentiles. */
const BAND_STEPS = 16;

/**
 * Latency over the percentile, spread so that each further nine takes the same width. The line are the samples, the
 * points the percentiles that are reported, the band their intervals. Needs a sample or a quantile with a value.
 */
export function percentileCurve({ label, sorted, quantiles, points = POINTS }: PercentileCurveOptions): Markup {
  const known = quantiles.filter((quantile) => isTime(quantile.ms));
  const lastKnown = known.reduce((last, { probability }) => Math.max(last, nines(probability)), 0);
  const area = { left: 52, right: CHART_WIDTH - 14, top: 34, bottom: HEIGHT - 46 };
  const end = Math.max(lastKnown, sorted.length > 0 ? nines(1 - 0.5 / sorted.length) : 0, 1);
  const x = linearScale(0, end, [area.left, area.right]);
  const values = known.flatMap(({ ms, lowMs, highMs }) => [ms, lowMs, highMs].filter(isTime));
  const low = Math.min(sorted[0] ?? Number.POSITIVE_INFINITY, ...values);
  const high = Math.max(sorted.at(-1) ?? 0, ...values);
  const kind = sorted.length > 0 ? kindFor(sorted) : 'linear';
  const y = createScale(kind, low, high, [area.bottom, area.top], 5);
  const unit = timeUnit(high);
  const ticks = [0, ...[0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map(nines)].filter((tick) => tick <= end);
  return chart(
    label,
    CHART_WIDTH,
    HEIGHT,
    yAxis(y, area, unit.format, kind === 'log' ? `${unit.name} (log)` : unit.name),
    band(known, sorted, x, y),
    curves(sorted, lastKnown, points, x, y),
    known.map(({ probability, ms, lowMs, highMs }) => {
      const at = x.at(nines(probability));
      const interval = isTime(lowMs)
        ? ` (95 %: ${formatLatencyRange(lowMs, isTime(highMs) ? highMs : undefined)})`
        : '';
      return element(
        'g',
        { class: 'point' },
        isTime(lowMs)
          ? path(
              `M${decimal(at)} ${decimal(y.at(lowMs))}V${decimal(isTime(highMs) ? y.at(highMs) : area.top)}`,
              'whisker',
            )
          : undefined,
        element('circle', { cx: at, cy: y.at(ms ?? 0), r: 3.5, class: 'mark' }),
        tooltip(`${percentileName(probability)}: ${formatLatency(ms ?? 0)}${interval}`),
      );
    }),
    xAxis({ ...x, ticks }, area, (nine) => percentOf(nine), 'percentile'),
  );
}

/** 0.9 is 1, 0.99 is 2. */
function nines(probability: number): number {
  return -Math.log10(Math.max(1e-9, 1 - probability));
}

function percentOf(nine: number): string {
  return String(Number(((1 - 10 ** -nine) * 100).toPrecision(9)));
}

/** The samples as one line; dashed beyond the last percentile that there were enough runs for. */
function curves(sorted: Float64Array, lastKnown: number, count: number, x: Scale, y: Scale): readonly Markup[] {
  if (sorted.length < 2) return [];
  const end = nines(1 - 0.5 / sorted.length);
  const places = Array.from({ length: count + 1 }, (_, i) => (end * i) / count);
  const points = places.map((nine) => `${decimal(x.at(nine))} ${decimal(y.at(atRank(sorted, 1 - 10 ** -nine)))}`);
  const turn = places.filter((nine) => nine <= lastKnown).length;
  const sure = points.slice(0, turn);
  const unsure = points.slice(Math.max(0, turn - 1));
  return [
    path(`M${sure.join('L')}`, 'curve'),
    ...(unsure.length < 2 ? [] : [path(`M${unsure.join('L')}`, 'curve unsure')]),
  ];
}

/**
 * Between the ends of the intervals; where one is open upwards, to the top. From one percentile to the next it follows the
 * samples: what goes over evenly are the ratios of the ends to the value, so that the curve stays within.
 */
function band(known: readonly QuantileReport[], sorted: Float64Array, x: Scale, y: Scale): Markup | undefined {
  const ends = known.flatMap(({ probability, ms, lowMs, highMs }) => {
    if (!isTime(ms) || !isTime(lowMs) || ms === 0) return [];
    const [low, high] = [lowMs > 0 ? lowMs : Math.max(y.low, ms / 1000), isTime(highMs) ? highMs : y.high];
    return [{ nine: nines(probability), ms, low: Math.log(low / ms), high: Math.log(high / ms) }];
  });
  if (ends.length < 2) return undefined;
  const upper: string[] = [];
  const lower: string[] = [];
  for (const [i, from] of ends.entries()) {
    const to = ends[i + 1] ?? from;
    for (let step = 0; step < (to === from ? 1 : BAND_STEPS); step++) {
      const part = step / BAND_STEPS;
      const between = (a: number, b: number): number => a + (b - a) * part;
      const nine = between(from.nine, to.nine);
      const isEnd = step === 0 || sorted.length === 0;
      const middle = isEnd ? between(from.ms, to.ms) : atRank(sorted, 1 - 10 ** -nine);
      const at = decimal(x.at(nine));
      upper.push(`${at} ${decimal(y.at(middle * Math.exp(between(from.high, to.high))))}`);
      lower.push(`${at} ${decimal(y.at(middle * Math.exp(between(from.low, to.low))))}`);
    }
  }
  return path(`M${[...upper, ...lower.reverse()].join('L')}Z`, 'band');
}
