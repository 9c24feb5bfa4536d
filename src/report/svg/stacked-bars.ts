import { element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, fitted, label, legend, tooltip, xAxis } from './chart.js';
import { linearScale } from './scale.js';

/** One bar: its parts in the order of `parts`. */
export interface StackedBar {
  readonly name: string;
  readonly values: readonly number[];
  /** Stands at the end; the sum where it is left out. Medians of parts need not add up to the median of sums. */
  readonly total?: number;
  /** Drawn stronger than the others. */
  readonly isMain?: boolean;
}

export interface StackedBarsOptions {
  readonly label: string;
  /** Names of the parts; each has the colour of its place. */
  readonly parts: readonly string[];
  readonly bars: readonly StackedBar[];
  readonly format: (value: number) => string;
  readonly axis: { readonly name: string; readonly format: (value: number) => string };
}

const ROW = 24;
const BAR = 14;

/** Horizontal bars, each the sum of its parts, with its total at the end. Needs a bar. */
export function stackedBars({ label: name, parts, bars, format, axis }: StackedBarsOptions): Markup {
  const key = legend(
    parts.map((part, i) => ({ name: part, style: `c${i + 1}` })),
    0,
    CHART_WIDTH,
  );
  const area = { left: 74, right: CHART_WIDTH - 78, top: key.height + 8, bottom: key.height + 12 + bars.length * ROW };
  const clean = bars.map((bar) => ({
    ...bar,
    values: bar.values.map((value) => (value > 0 && value < Number.POSITIVE_INFINITY ? value : 0)),
  }));
  const sums = clean.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const x = linearScale(0, Math.max(...sums) || 1, [area.left, area.right], 4);
  return chart(
    name,
    CHART_WIDTH,
    area.bottom + 42,
    key.markup,
    clean.map(({ name: barName, values, isMain, total }, row) => {
      const y = area.top + row * ROW;
      let before = 0;
      return element(
        'g',
        { class: isMain ? 'bar main' : 'bar' },
        label(fitted(barName, area.left - 8), area.left - 8, y + BAR - 2, '', 'end'),
        values.map((value, i) => {
          const from = x.at(before);
          before += value;
          const width = Math.max(x.at(before) - from, value > 0 ? 1 : 0);
          if (width === 0) return undefined;
          return element(
            'rect',
            { x: from, y, width, height: BAR, class: `mark fill c${i + 1}` },
            tooltip(`${barName}: ${parts[i] ?? ''} ${format(value)}`),
          );
        }),
        label(format(total ?? sums[row] ?? 0), x.at(before) + 6, y + BAR - 2, 'value'),
      );
    }),
    xAxis(x, area, axis.format, axis.name),
  );
}
