import { formatDuration, formatInteger, formatPercent } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { binSamples, kindFor } from './bins.js';
import { CHART_WIDTH, chart, label, textWidth, timeUnit, tooltip, xAxis, yAxis } from './chart.js';
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

const HEIGHT = 270;
const LABEL_ROW = 17;

/** How often which latency occurred, with percentiles and budgets as lines. Needs a sample at least. */
export function histogram({ label: name, sorted, marks, mostBins }: HistogramOptions): Markup {
  const { kind, bins } = binSamples(sorted, kindFor(sorted), mostBins);
  const ends = axisEnds(sorted, marks, kind);
  const area = { left: 52, right: CHART_WIDTH - 14, top: 70, bottom: HEIGHT - 46 };
  const x = createScale(kind, ends.low, ends.high, [area.left, area.right], 6);
  const most = bins.reduce((largest, { count }) => Math.max(largest, count), 1);
  const y = linearScale(0, most, [area.bottom, area.top], 4);
  const unit = timeUnit(ends.high);
  const axis = kind === 'log' ? `latency, ${unit.name} (log)` : `latency, ${unit.name}`;
  return chart(
    name,
    CHART_WIDTH,
    HEIGHT,
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
    markLines(marks, x, area),
    xAxis(x, area, unit.format, axis),
  );
}

function binText(low: number, high: number, count: number, of: number): string {
  const range = high > low ? `${formatDuration(low)} – ${formatDuration(high)}` : formatDuration(low);
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

/** Lines with their names in rows above the plot, none over another. */
function markLines(
  marks: readonly TimeMark[],
  x: Scale,
  area: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number },
): readonly Markup[] {
  const rowEnds: number[] = [];
  return [...marks]
    .filter(({ ms }) => ms >= x.low && ms <= x.high)
    .sort((a, b) => a.ms - b.ms)
    .map(({ name, ms, style }) => {
      const at = x.at(ms);
      const width = textWidth(name);
      const isRight = at + width + 4 > area.right + 12;
      const [from, to] = isRight ? [at - width - 3, at] : [at, at + width + 3];
      let row = rowEnds.findIndex((end) => from > end);
      if (row < 0) row = rowEnds.length;
      rowEnds[row] = to;
      const y = Math.max(12, area.top - 6 - (rowEnds.length > 3 ? row % 3 : row) * LABEL_ROW);
      return element(
        'g',
        { class: `line ${style}` },
        element('path', { d: `M${decimal(at)} ${decimal(y - 9)}V${decimal(area.bottom)}` }),
        label(name, isRight ? at - 4 : at + 4, y, '', isRight ? 'end' : 'start'),
        tooltip(`${name}: ${formatDuration(ms)}`),
      );
    });
}
