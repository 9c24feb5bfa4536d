import { safeText } from '../../report/safe-text.js';
import type { Style, StyleName } from './style.js';
import { wrapLine } from './wrap.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut to fit the terminal. Columns of numbers should not be. */
  readonly flexible?: boolean;
  /** A flexible column keeps at least this width; default 8. */
  readonly minimumWidth?: number;
}

/** Text, a number, or text with a style. All of it is made safe here: cells often hold names from a model. */
export type Cell = string | number | { readonly text: string; readonly style: StyleName };

export interface TableOptions {
  /** Columns of the terminal; undefined for a pipe, where nothing is cut. */
  readonly columns: number | undefined;
  readonly style: Style;
  /** Spaces before each row. */
  readonly indent?: number;
  /** Whether rows that are too wide even so become lists of titles and values; default true. */
  readonly stacks?: boolean;
}

/** What separates two columns. */
const GAP = 2;
const MINIMUM_WIDTH = 8;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

const NO_BORDER = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => {
    const joints = ['top', 'bottom'].includes(side)
      ? [side, `${side}-mid`, `${side}-left`, `${side}-right`]
      : [side, `${side}-mid`];
    return joints.map((joint) => [joint, '']);
  }),
);

/** Rows under titles, aligned, without frames: reads well, copies well, greps well. No final line break. */
export async function renderTable(
  titles: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const indent = ' '.repeat(options.indent ?? 0);
  const texts = rows.map((row) => row.map((cell) => safeText(cellText(cell), 4000)));
  const widths = fittingWidths(titles, texts, options.columns, indent.length);
  const isTooWide = widths !== undefined && totalWidth(widths, indent.length) > (options.columns ?? 0);
  if (isTooWide && options.stacks !== false) return stackedRows(titles, texts, options, indent);
  const table = new Table({
    chars: { ...NO_BORDER, middle: ' '.repeat(GAP), 'left-mid': '', 'right-mid': '', 'mid-mid': '' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: titles.map((title) => title.align ?? 'left'),
    ...(widths === undefined ? {} : { colWidths: [...widths] }),
  });
  const hasTitles = titles.some((title) => title.title !== '');
  if (hasTitles) table.push(titles.map((title) => options.style.dim(safeText(title.title, 200))));
  rows.forEach((row, rowIndex) => {
    table.push(
      row.map((cell, columnIndex) => {
        const text = texts[rowIndex]?.[columnIndex] ?? '';
        return typeof cell === 'object' ? options.style[cell.style](text) : text;
      }),
    );
  });
  return table
    .toString()
    .split('\n')
    .map((line) => (indent + line).trimEnd())
    .join('\n');
}

/** Terminal cells a text takes: East Asian letters and pictographs take two. Only used to find what must be cut. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

function cellText(cell: Cell): string {
  return typeof cell === 'object' ? cell.text : String(cell);
}

/** Widths when the natural ones do not fit: flexible columns give way, the widest first. */
function fittingWidths(
  titles: readonly Column[],
  texts: readonly (readonly string[])[],
  columns: number | undefined,
  indentWidth: number,
): readonly number[] | undefined {
  if (columns === undefined) return undefined;
  const widths = titles.map((title, index) =>
    texts.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? '')), title.title.length),
  );
  let excess = totalWidth(widths, indentWidth) - columns;
  if (excess <= 0) return undefined;
  const spare = (index: number): boolean => (widths[index] ?? 0) > (titles[index]?.minimumWidth ?? MINIMUM_WIDTH);
  const flexible = titles.flatMap((title, index) => (title.flexible ? [index] : []));
  for (; excess > 0; excess--) {
    const candidates = flexible.filter(spare);
    const [first] = candidates;
    if (first === undefined) break;
    const widest = candidates.reduce(
      (best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best),
      first,
    );
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function totalWidth(widths: readonly number[], indentWidth: number): number {
  return widths.reduce((sum, width) => sum + width, indentWidth + GAP * (widths.length - 1));
}

/** `logits: type float, SQNR 34.8 dB`: rows as lines that are broken between words, for what no terminal so narrow can show. */
function stackedRows(
  titles: readonly Column[],
  texts: readonly (readonly string[])[],
  { columns }: TableOptions,
  indent: string,
): string {
  const lines = texts.map((row) => {
    const cells = row.map((text, index) => ({ text, title: safeText(titles[index]?.title ?? '', 200) }));
    const named = cells.filter(({ text }) => text !== '');
    const first = named.findIndex(({ title }) => title !== '');
    const head = named.slice(0, first + 1).map(({ text }) => text);
    const rest = named.slice(first + 1).map(({ title, text }) => (title === '' ? text : `${title} ${text}`));
    const line = rest.length === 0 ? head.join(' ') : `${head.join(' ')}: ${rest.join(', ')}`;
    return wrapLine(`${indent}${line}`, columns, indent.length + 2);
  });
  return lines.join('\n');
}
