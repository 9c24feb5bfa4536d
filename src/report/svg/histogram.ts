import { formatLatency, formatLatencyRange } from '../bench-format.js';
import { formatInteger, formatPercent } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { binSamples, kindFor } from './bins.js';
import { CHART_WIDTH, chart, label, type PlotArea, path, textWidth, timeUnit, tooltip, xAxis, yAxis } from './chart.js';
import { createScale, linearScale, type Scale } from './scale.js';

/** A line across a histogram: a percentile or a budget. */
export interface TimeMark {
  readonly name: string;
  readonly ms: number;
  readonly style: 'quantile' | 'budget';
}

export interface HistogramOptions {
  readonly label: string;
  /** Sorted, finite. */
  readonly sorted: Float64Array;
  readonly marks: readonly TimeMark[];
  readonly mostBins?: number;
}

const PLOT_HEIGHT = 172;
const LABEL_ROW = 17;

/** How often which latency occurred, with percentiles and budgets as lines. Needs a sample at least. */
export function histogram({ label: name, sorted, marks, mostBins }: HistogramOptions): Markup {
  const { kind, bins } = binSamples(sorted, kindFor(sorted), mostBins);
  const ends = axisEnds(sorted, marks, kind);
  const [left, right] = [52, CHART_WIDTH - 14];
  const x = createScale(kind, ends.low, ends.high, [left, right], 6);
  const placed = placeMarks(marks, x, right);
  const top = 30 + placed.reduce((highest, { row }) => Math.max(highest, row), 0) * LABEL_ROW;
  const area = { left, right, top, bottom: top + PLOT_HEIGHT };
  const most = bins.reduce((largest, { count }) => Math.max(largest, count), 1);
  const y = linearScale(0, most, [area.bottom, area.top], 4);
  const unit = timeUnit(ends.high);
  const axis = kind === 'log' ? `latency, ${unit.name} (log)` : `latency, ${unit.name}`;
  return chart(
    name,
    CHART_WIDTH,
    area.bottom + 46,
    yAxis({ ...y, ticks: y.ticks.filter(Number.isInteger) }, area, formatInteger, 'requests'),
    element(
      'g',
      { class: 'bars' },
      bins
        .filter(({ count }) => count > 0)
        .map(({ low, high, count }) => {
          const from = x.at(low);
          // Equal samples have no width of their own.
          const width = high > low ? Math.max(1, x.at(high) - from - 1) : 10;
          const top = Math.min(y.at(count), area.bottom - 1);
          return element(
            'rect',
            { x: high > low ? from + 0.5 : from - 5, y: top, width, height: area.bottom - top, class: 'mark' },
            tooltip(binText(low, high, count, sorted.length)),
          );
        }),
    ),
    markLines(placed, area),
    xAxis(x, area, unit.format, axis),
  );
}

function binText(low: number, high: number, count: number, of: number): string {
  const range = high > low ? formatLatencyRange(low, high) : formatLatency(low);
  return `${range}: ${formatInteger(count)} (${formatPercent(count / of)})`;
}

/** A budget not far outside belongs on the axis; one further away would press the samples together. */
function axisEnds(sorted: Float64Array, marks: readonly TimeMark[], kind: Scale['kind']) {
  let low = sorted[0] ?? 0;
  let high = sorted.at(-1) ?? 0;
  const [above, below] = kind === 'log' ? [high * 10, low / 10] : [high + (high - low), low - (high - low) / 2];
  for (const { ms } of marks) {
    if (ms > high && ms <= above) high = ms * 1.02;
    if (ms < low && ms >= below) low = ms * 0.98;
  }
  return { low, high };
}

/** A mark, and in which row above the plot its name stands, from 0 at the bottom. */
interface PlacedMark extends TimeMark {
  readonly at: number;
  readonly isLeft: boolean;
  readonly row: number;
}

/**
 * From the right to the left each name goes above what it would touch: names placed before, and their lines. Names that find
 * no room to the right of their line come last, as they lie over the lines to their left.
 */
function placeMarks(marks: readonly TimeMark[], x: Scale, right: number): readonly PlacedMark[] {
  const taken: { readonly at: number; readonly from: number; readonly to: number; readonly row: number }[] = [];
  return marks
    .filter(({ ms }) => ms >= x.low && ms <= x.high)
    .map((mark) => {
      const at = x.at(mark.ms);
      const width = textWidth(mark.name) + 4;
      const isLeft = at + width > right + 12;
      return { ...mark, at, isLeft, from: isLeft ? at - width : at, to: isLeft ? at : at + width };
    })
    .sort((a, b) => Number(a.isLeft) - Number(b.isLeft) || b.ms - a.ms)
    .map(({ from, to, ...mark }) => {
      const touched = taken.filter(
        (other) => (other.from < to && from < other.to) || (other.at > from && other.at < to),
      );
      const row = touched.reduce((highest, other) => Math.max(highest, other.row + 1), 0);
      taken.push({ at: mark.at, from, to, row });
      return { ...mark, row };
    });
}

/** Lines first, so that no line runs over a name. */
function markLines(marks: readonly PlacedMark[], { top, bottom }: PlotArea): Markup {
  const height = (row: number): number => top - 6 - row * LABEL_ROW;
  return element(
    'g',
    {},
    marks.map(({ style, at, row, name, ms }) =>
      element(
        'g',
        { class: `line ${style}` },
        path(`M${decimal(at)} ${decimal(height(row) - 9)}V${decimal(bottom)}`),
        tooltip(`${name}: ${formatLatency(ms)}`),
      ),
    ),
    marks.map(({ style, at, row, name, isLeft }) =>
      element(
        'g',
        { class: `line ${style}` },
        label(name, isLeft ? at - 4 : at + 4, height(row), '', isLeft ? 'end' : 'start'),
      ),
    ),
  );
}
