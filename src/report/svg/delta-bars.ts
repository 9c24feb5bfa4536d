import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, fitted, label, path, tooltip } from './chart.js';

/** A difference with its interval, to the left or right of zero. */
export interface DeltaBar {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Stands at the right. */
  readonly text: string;
}

const ROW = 24;
const NAME_WIDTH = 110;
const TEXT_WIDTH = 90;

/** Bars from zero with whiskers for intervals. Needs a bar. */
export function deltaBars(name: string, bars: readonly DeltaBar[]): Markup {
  const least = Math.min(0, ...bars.map(({ low, value }) => Math.min(low, value)));
  const most = Math.max(0, ...bars.map(({ high, value }) => Math.max(high, value)));
  const span = most - least || 1;
  const [left, right] = [NAME_WIDTH, CHART_WIDTH - TEXT_WIDTH];
  const at = (value: number): number => left + ((value - least) / span) * (right - left);
  const zero = at(0);
  return chart(
    name,
    CHART_WIDTH,
    bars.length * ROW + 8,
    path(`M${decimal(zero)} 2V${bars.length * ROW + 4}`, 'one'),
    bars.map(({ name: text, value, low, high, text: shown }, i) => {
      const y = i * ROW + 6;
      const end = at(value);
      return element(
        'g',
        { class: 'bar' },
        label(fitted(text, NAME_WIDTH - 8), 0, y + 11),
        element('rect', {
          x: Math.min(zero, end),
          y: y + 2,
          width: Math.max(1, Math.abs(end - zero)),
          height: 11,
          rx: 1,
          class: `mark fill ${value < 0 ? 'c2' : 'c1'}`,
        }),
        path(`M${decimal(at(low))} ${y + 7.5}H${decimal(at(high))}`, 'whisker'),
        label(shown, CHART_WIDTH, y + 11, 'value', 'end'),
        tooltip(`${text}: ${shown}`),
      );
    }),
  );
}
