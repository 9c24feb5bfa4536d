import { formatNumber } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, legend, path, textWidth, tooltip, xAxis, yAxis } from './chart.js';
import { createScale } from './scale.js';

/** Points of one line, by rising x. */
export interface PlotLine {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LinePlotAxes {
  readonly x: string;
  readonly y: string;
  readonly xKind?: 'linear' | 'log';
  /** Ticks stand at the points themselves, which are few. */
  readonly tickPoints?: true;
}

const HEIGHT = 300;

/** Values of the points as ticks, without those whose numbers would touch; both ends stay. */
function pointTicks(values: readonly number[], at: (value: number) => number): readonly number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const last = sorted.at(-1);
  const touch = (a: number, b: number): boolean =>
    at(b) - at(a) < (textWidth(formatNumber(a, 4)) + textWidth(formatNumber(b, 4))) / 2 + 8;
  const kept: number[] = [];
  for (const value of sorted) {
    const before = kept.at(-1);
    const isRoom = (before === undefined || !touch(before, value)) && (value === last || !touch(value, last as number));
    if (isRoom || value === last) kept.push(value);
  }
  return kept;
}

/** Lines with their points over one pair of axes. Needs a finite point. */
export function linePlot(name: string, lines: readonly PlotLine[], axes: LinePlotAxes): Markup {
  const key = legend(
    lines.length < 2 ? [] : lines.map((line, i) => ({ name: line.name, style: `c${1 + (i % 6)}` })),
    0,
    CHART_WIDTH,
  );
  const top = key.height + 30;
  const area = { left: 58, right: CHART_WIDTH - 18, top, bottom: top + HEIGHT - 80 };
  const finite = lines.map((line) => ({ ...line, points: line.points.filter(({ x, y }) => Number.isFinite(x + y)) }));
  const all = finite.flatMap(({ points }) => points);
  const xs = all.map(({ x }) => x);
  const ys = all.map(({ y }) => y);
  const x = createScale(axes.xKind ?? 'linear', Math.min(...xs), Math.max(...xs), [area.left, area.right], 5);
  const y = createScale('linear', Math.min(0, ...ys), Math.max(...ys), [area.bottom, area.top], 5);
  return chart(
    name,
    CHART_WIDTH,
    area.bottom + 46,
    key.markup,
    yAxis(y, area, (value) => formatNumber(value, 4), axes.y),
    finite.map(({ name: line, points }, i) => [
      points.length < 2
        ? undefined
        : path(
            `M${points.map((point) => `${decimal(x.at(point.x))} ${decimal(y.at(point.y))}`).join('L')}`,
            `curve s${1 + (i % 6)}`,
          ),
      points.map((point) =>
        element(
          'circle',
          { cx: x.at(point.x), cy: y.at(point.y), r: 4, class: `mark fill c${1 + (i % 6)}` },
          tooltip(`${line}: ${axes.y} ${formatNumber(point.y, 4)} at ${axes.x} ${formatNumber(point.x)}`),
        ),
      ),
    ]),
    xAxis(axes.tickPoints ? { ...x, ticks: pointTicks(xs, x.at) } : x, area, (value) => formatNumber(value, 4), axes.x),
  );
}
