import { formatLatency } from '../bench-format.js';
import { formatBytes, formatNumber, formatRate } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { safeText } from '../safe-text.js';
import { CHART_WIDTH, chart, label, path, timeUnit, tooltip, xAxis, yAxis } from './chart.js';
import { type Place, placeLabels } from './label-places.js';
import { createScale, type Scale } from './scale.js';

/** A configuration in the plane of latency and throughput. */
export interface TradeOffPoint {
  /** Its row in the table, from 1: stands for the label where that finds no place. */
  readonly number: number;
  readonly label: string;
  readonly latencyMs: number;
  readonly perSecond: number;
  /** Drawn as the area of the mark. */
  readonly memoryBytes?: number;
  /** On the Pareto front. */
  readonly isBest: boolean;
  readonly isSuggested: boolean;
}

const HEIGHT = 340;
const LONGEST_LABEL = 26;

/** Throughput over latency, to the upper left is better; the front is connected. Needs a point. */
export function tradeOff(name: string, points: readonly TradeOffPoint[], width = CHART_WIDTH): Markup {
  const area = { left: 58, right: width - 18, top: 36, bottom: HEIGHT - 46 };
  const latencies = points.map(({ latencyMs }) => latencyMs);
  const rates = points.map(({ perSecond }) => perSecond);
  const x = roomyScale(latencies, [area.left, area.right]);
  const y = roomyScale(rates, [area.bottom, area.top]);
  const unit = timeUnit(Math.max(...latencies));
  const largest = Math.max(1, ...points.map(({ memoryBytes }) => memoryBytes ?? 0));
  // The important ones are drawn last, over the others, and labelled first.
  const ranked = [...points].sort((a, b) => rank(b) - rank(a) || a.number - b.number);
  const marks = ranked.map((point) => ({
    point,
    x: x.at(point.latencyMs),
    y: y.at(point.perSecond),
    radius: point.memoryBytes === undefined ? 5 : 4 + 8 * Math.sqrt(Math.max(0, point.memoryBytes) / largest),
    texts: [safeText(point.label, LONGEST_LABEL), `#${point.number}`],
  }));
  const line = front(points, x, y);
  const labels = placeLabels(marks, { left: area.left, right: width, top: 20, bottom: area.bottom }, line);
  const ends = (scale: Scale, text: string): string => (scale.kind === 'log' ? `${text} (log)` : text);
  return chart(
    name,
    width,
    HEIGHT,
    yAxis(y, area, (value) => formatNumber(value, 4), ends(y, '/s')),
    line.length < 2
      ? undefined
      : path(`M${line.map((place) => `${decimal(place.x)} ${decimal(place.y)}`).join('L')}`, 'front'),
    [...marks]
      .reverse()
      .map(({ point, x: cx, y: cy, radius: r }) =>
        element('circle', { cx, cy, r, class: markStyle(point) }, tooltip(pointText(point))),
      ),
    labels.map((place, i) =>
      place === undefined
        ? undefined
        : label(place.text, place.x, place.y, marks[i]?.point.isBest ? 'strong' : '', place.anchor),
    ),
    xAxis(x, area, unit.format, ends(x, `p50 latency, ${unit.name}`)),
  );
}

function rank({ isBest, isSuggested }: TradeOffPoint): number {
  return (isSuggested ? 2 : 0) + (isBest ? 1 : 0);
}

function markStyle({ isBest, isSuggested }: TradeOffPoint): string {
  return `mark spot${isBest ? ' best' : ''}${isSuggested ? ' suggested' : ''}`;
}

function pointText({
  number,
  label: text,
  latencyMs,
  perSecond,
  memoryBytes,
  isBest,
  isSuggested,
}: TradeOffPoint): string {
  const memory = memoryBytes === undefined ? '' : `, ${formatBytes(memoryBytes)} of memory`;
  const place = `${isBest ? ', on the front' : ''}${isSuggested ? ', suggested' : ''}`;
  return `#${number} ${text}: p50 ${formatLatency(latencyMs)}, ${formatRate(perSecond)}${memory}${place}`;
}

/** Of the best ones, those that nothing beats in these two alone, by latency. */
function front(points: readonly TradeOffPoint[], x: Scale, y: Scale): readonly Place[] {
  let highest = Number.NEGATIVE_INFINITY;
  return points
    .filter(({ isBest }) => isBest)
    .sort((a, b) => a.latencyMs - b.latencyMs || b.perSecond - a.perSecond)
    .filter(({ perSecond }) => {
      const isHigher = perSecond > highest;
      if (isHigher) highest = perSecond;
      return isHigher;
    })
    .map(({ latencyMs, perSecond }) => ({ x: x.at(latencyMs), y: y.at(perSecond) }));
}

/** Room around the points, so that none stands on the edge; logarithmic from a span of eight on. */
function roomyScale(values: readonly number[], range: readonly [number, number]): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low > 0 && high / low > 8) {
    const room = (high / low) ** 0.08;
    return createScale('log', low / room, high * room, range, 5);
  }
  const room = (high - low) * 0.1 || high * 0.1;
  return createScale('linear', Math.max(0, low - room), high + room, range, 5);
}
