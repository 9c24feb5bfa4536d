import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, fitted, label, legend, path, textWidth, tooltip } from './chart.js';

/** A tensor: the range it is quantized to, and the values that were seen. */
export interface RangeBar {
  readonly name: string;
  /** Stands at the right of the name, and in the tooltip. */
  readonly value: string;
  readonly low: number;
  readonly high: number;
  readonly seenLow: number;
  readonly seenHigh: number;
}

const ROW = 33;
const BAR = 7;

/** Ranges over the values seen, each tensor on an axis of its own from the least to the largest of both; a line stands at zero. Needs a bar. */
export function rangeBars(name: string, bars: readonly RangeBar[]): Markup {
  const key = legend(
    [
      { name: 'range', style: 'c1' },
      { name: 'values seen, cut off where they lie outside', style: 'c2' },
    ],
    0,
    CHART_WIDTH,
  );
  return chart(
    name,
    CHART_WIDTH,
    key.height + bars.length * ROW + 2,
    key.markup,
    bars.map(({ name: text, value, low, high, seenLow, seenHigh }, row) => {
      const y = key.height + row * ROW;
      const [least, most] = [Math.min(low, seenLow), Math.max(high, seenHigh)];
      const at = (each: number): number => (most > least ? ((each - least) / (most - least)) * CHART_WIDTH : 0);
      const bar = (from: number, to: number, style: string, lift: number): Markup =>
        element('rect', {
          x: at(from),
          y: y + 20 + lift,
          width: Math.max(1, at(to) - at(from)),
          height: BAR - 2 * lift + 2,
          rx: 1,
          class: `mark fill ${style}`,
        });
      return element(
        'g',
        { class: 'bar' },
        label(fitted(text, CHART_WIDTH - textWidth(value) - 8), 0, y + 14),
        label(value, CHART_WIDTH, y + 14, 'value', 'end'),
        path(`M0 ${decimal(y + 21 + BAR / 2)}H${CHART_WIDTH}`, 'track'),
        bar(seenLow, seenHigh, 'c2 pale', 0),
        bar(low, high, 'c1', 2),
        least < 0 && most > 0 ? path(`M${decimal(at(0))} ${y + 18}V${y + 31}`, 'one') : undefined,
        tooltip(`${text}: ${value}`),
      );
    }),
  );
}
