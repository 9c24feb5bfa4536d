import { formatNumber } from '../format.js';
import { type Child, decimal, element, type Markup, trusted } from '../html/markup.js';
import { safeText } from '../safe-text.js';
import type { Scale } from './scale.js';

/** Width of a drawing in its own units. Pages show it at about this many pixels, on a phone at two thirds. */
export const CHART_WIDTH = 520;

/** Width of a drawing over the whole page. */
export const WIDE_CHART = 1070;

/** Of a character of chart text, at the larger size that a phone gives it. Estimates, on the wide side. */
const CHARACTER_WIDTH = 8.6;

/** Where the lines of a plot end, in units of the drawing. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A drawing; `label` says to those who cannot see it what it is. */
export function chart(label: string, width: number, height: number, ...children: readonly Child[]): Markup {
  return element(
    'svg',
    { class: 'chart', viewBox: `0 0 ${decimal(width)} ${decimal(height)}`, role: 'img', 'aria-label': label },
    ...children,
  );
}

/** What a pointer that rests on a mark is told. */
export function tooltip(text: string): Markup {
  return element('title', {}, text);
}

/** Lines and shapes. `data` is made of our own numbers, and may be long. */
export function path(data: string, style?: string): Markup {
  return element('path', { d: trusted(data), class: style });
}

/** Text in a drawing. */
export function label(text: string, x: number, y: number, style = '', anchor: 'start' | 'middle' | 'end' = 'start') {
  return element(
    'text',
    { x, y, class: style === '' ? undefined : style, 'text-anchor': anchor === 'start' ? undefined : anchor },
    text,
  );
}

/** How wide text is about, in units of the drawing. */
export function textWidth(text: string): number {
  return [...text].length * CHARACTER_WIDTH;
}

/** Text that fits into a width, cut in the middle. */
export function fitted(text: string, width: number): string {
  return safeText(text, Math.max(4, Math.floor(width / CHARACTER_WIDTH)));
}

/** How the numbers of an axis of times are written: all in one unit, which stands at its end. */
export interface TimeUnit {
  readonly name: string;
  readonly format: (ms: number) => string;
}

/** The unit for times up to `highMs`. */
export function timeUnit(highMs: number): TimeUnit {
  const [name, perMs] = highMs < 1 ? ['µs', 1000] : highMs < 10_000 ? ['ms', 1] : ['s', 0.001];
  return { name: String(name), format: (ms) => formatNumber(Number((ms * Number(perMs)).toPrecision(12)), 4) };
}

/** Ticks below a plot, and the name of what is counted at their end. */
export function xAxis(scale: Scale, area: PlotArea, format: (value: number) => string, name: string): Markup {
  return element(
    'g',
    { class: 'axis' },
    path(`M${decimal(area.left)} ${decimal(area.bottom)}H${decimal(area.right)}`, 'base'),
    scale.ticks.map((tick) => [
      path(`M${decimal(scale.at(tick))} ${decimal(area.bottom)}v4`),
      label(format(tick), scale.at(tick), area.bottom + 18, '', 'middle'),
    ]),
    label(name, area.right, area.bottom + 36, 'name', 'end'),
  );
}

/** Lines across a plot with their numbers on the left, and the name of what is counted above. */
export function yAxis(scale: Scale, area: PlotArea, format: (value: number) => string, name: string): Markup {
  return element(
    'g',
    { class: 'axis' },
    scale.ticks.map((tick) => [
      path(`M${decimal(area.left)} ${decimal(scale.at(tick))}H${decimal(area.right)}`, 'grid'),
      label(format(tick), area.left - 7, scale.at(tick) + 4, '', 'end'),
    ]),
    label(name, 0, area.top - 12, 'name'),
  );
}

/** Names of colours in a row above a drawing, broken where the width ends; gives the height it takes. */
export function legend(
  entries: readonly { readonly name: string; readonly style: string }[],
  left: number,
  right: number,
): { readonly markup: Markup; readonly height: number } {
  let x = left;
  let row = 0;
  const marks = entries.map(({ name, style }) => {
    const text = fitted(name, right - left - 20);
    const width = textWidth(text) + 34;
    if (x > left && x + width > right + 16) {
      x = left;
      row++;
    }
    const mark = [
      element('rect', { x, y: row * 20 + 2, width: 10, height: 10, rx: 2, class: `fill ${style}` }),
      label(text, x + 15, row * 20 + 11),
    ];
    x += width;
    return mark;
  });
  return { markup: element('g', { class: 'legend' }, marks), height: entries.length === 0 ? 0 : (row + 1) * 20 + 4 };
}
