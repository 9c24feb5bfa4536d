import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, fitted, label, legend, path, textWidth, tooltip } from './chart.js';

/** A thing with its name above its bar. */
export interface RankedBar {
  readonly name: string;
  /** Stands at the right of the name, and in the tooltip. */
  readonly value: string;
  /** Length of the bar, 0 to 1, where 1 is the whole width. */
  readonly share: number;
  /** Length of a paler bar behind it: what it is a part of. */
  readonly whole?: number;
  /** What the colour stands for. */
  readonly group: string;
}

const ROW = 33;
const BAR = 7;

/** Horizontal bars under their names, coloured by group in the order of `groups`. Needs a bar. */
export function rankedBars(name: string, bars: readonly RankedBar[], groups: readonly string[]): Markup {
  const key = legend(
    groups.length < 2 ? [] : groups.map((group, i) => ({ name: group, style: `c${1 + (i % 6)}` })),
    0,
    CHART_WIDTH,
  );
  return chart(
    name,
    CHART_WIDTH,
    key.height + bars.length * ROW + 2,
    key.markup,
    bars.map((bar, row) => {
      const y = key.height + row * ROW;
      const share = within(bar.share);
      const style = `mark fill c${1 + (Math.max(0, groups.indexOf(bar.group)) % 6)}`;
      const room = CHART_WIDTH - textWidth(bar.value) - 8;
      return element(
        'g',
        { class: 'bar' },
        label(fitted(bar.name, room), 0, y + 14),
        label(bar.value, CHART_WIDTH, y + 14, 'value', 'end'),
        path(`M0 ${decimal(y + 21 + BAR / 2)}H${CHART_WIDTH}`, 'track'),
        bar.whole === undefined
          ? undefined
          : element('rect', { ...barBox(y, within(bar.whole)), class: `${style} pale` }),
        element('rect', { ...barBox(y, share), class: style }),
        tooltip(`${bar.name}: ${bar.value} (${bar.group})`),
      );
    }),
  );
}

function within(share: number): number {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
}

function barBox(y: number, share: number): Readonly<Record<string, number>> {
  return { x: 0, y: y + 21, width: Math.max(1, share * CHART_WIDTH), height: BAR, rx: 1 };
}
