import { element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, fitted, label, textWidth, tooltip } from './chart.js';

/** One cell. */
export interface HeatCell {
  /** How strong its colour is and which: -1 to 1, where 0 has none. */
  readonly share: number;
  /** Stands in the cell where there is room. */
  readonly text: string;
  /** What a pointer is told. */
  readonly tip: string;
}

export interface HeatMapAxes {
  /** What rows and columns are, above the first of each. */
  readonly rows: string;
  readonly columns: string;
}

const LEFT = 70;
const LEVELS = 7;
/** No cell is larger: two classes need no drawing of a whole page. */
const LARGEST = 44;

/** A square table of cells, coloured by their shares: the first colour below zero, the second above. Needs a class. */
export function heatMap(
  name: string,
  names: readonly string[],
  axes: HeatMapAxes,
  cellOf: (row: number, column: number) => HeatCell,
): Markup {
  const size = Math.min(LARGEST, (CHART_WIDTH - LEFT) / names.length);
  // Names that are wider than a column stand in two rows, by turns.
  const rows = Math.max(0, ...names.map(textWidth)) > size - 2 ? 2 : 1;
  const top = 22 + rows * 18;
  return chart(
    name,
    CHART_WIDTH,
    top + names.length * size + 4,
    label(axes.rows, 0, top - 6, 'quiet'),
    label(axes.columns, LEFT, 12, 'quiet'),
    names.map((text, i) => [
      label(
        fitted(text, size * rows - 2),
        LEFT + (i + 0.5) * size,
        top - 6 - (rows === 2 && i % 2 === 0 ? 17 : 0),
        '',
        'middle',
      ),
      label(fitted(text, LEFT - 10), LEFT - 8, top + (i + 0.5) * size + 4, '', 'end'),
    ]),
    names.map((_, row) =>
      names.map((_, column) => {
        const { share, text, tip } = cellOf(row, column);
        const [x, y] = [LEFT + column * size, top + row * size];
        return element(
          'g',
          { class: 'heat' },
          element('rect', { x, y, width: size, height: size, class: `fill ${heatStyle(share)}` }),
          text === '' || textWidth(text) > size ? undefined : label(text, x + size / 2, y + size / 2 + 4, '', 'middle'),
          tooltip(tip),
        );
      }),
    ),
  );
}

/** The colour of a share. What is not zero is never drawn as if it were. */
function heatStyle(share: number): string {
  const level = Math.min(LEVELS, Math.ceil(Math.abs(share) * LEVELS));
  return level === 0 ? 'h0' : `${share < 0 ? 'c1' : 'c2'} h${level}`;
}
