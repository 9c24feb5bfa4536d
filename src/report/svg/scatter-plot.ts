import { decimal, element, type Markup } from '../html/markup.js';
import { safeText } from '../safe-text.js';
import { CHART_WIDTH, chart, label, path, tooltip, xAxis, yAxis } from './chart.js';
import { placeLabels } from './label-places.js';
import { createScale, type Scale } from './scale.js';

/** A thing in a plane of two figures. */
export interface ScatterPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** On the Pareto front. */
  readonly isBest: boolean;
  readonly text: string;
}

export interface ScatterAxes {
  readonly x: string;
  readonly y: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

const HEIGHT = 330;

/** Points with their names; those on the front are connected. Needs a point. */
export function scatterPlot(name: string, points: readonly ScatterPoint[], axes: ScatterAxes): Markup {
  const area = { left: 66, right: CHART_WIDTH - 18, top: 36, bottom: HEIGHT - 46 };
  const x = roomy(
    points.map((point) => point.x),
    [area.left, area.right],
  );
  const y = roomy(
    points.map((point) => point.y),
    [area.bottom, area.top],
  );
  const marks = [...points]
    .sort((a, b) => Number(b.isBest) - Number(a.isBest))
    .map((point) => ({ point, x: x.at(point.x), y: y.at(point.y), radius: 6, texts: [safeText(point.name, 30)] }));
  const front = marks.filter(({ point }) => point.isBest).sort((a, b) => a.x - b.x);
  const labels = placeLabels(marks, { left: area.left, right: CHART_WIDTH, top: 20, bottom: area.bottom }, front);
  return chart(
    name,
    CHART_WIDTH,
    HEIGHT,
    yAxis(y, area, axes.formatY, axes.y),
    front.length < 2
      ? undefined
      : path(`M${front.map((at) => `${decimal(at.x)} ${decimal(at.y)}`).join('L')}`, 'front'),
    marks.map(({ point, x: cx, y: cy }) =>
      element('circle', { cx, cy, r: 6, class: `mark spot${point.isBest ? ' best' : ''}` }, tooltip(point.text)),
    ),
    labels.map((place) => (place === undefined ? undefined : label(place.text, place.x, place.y, '', place.anchor))),
    xAxis(x, area, axes.formatX, axes.x),
  );
}

function roomy(values: readonly number[], range: readonly [number, number]): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low > 0 && high / low > 8) return createScale('log', low / 1.3, high * 1.3, range, 4);
  const room = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
  return createScale('linear', low >= 0 ? Math.max(0, low - room) : low - room, high + room, range, 5);
}
