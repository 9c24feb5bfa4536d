import { type Child, element, fragment, type Markup } from './markup.js';

/** A part of a page with a heading; `id` is what contents link to. */
export function section(id: string, title: string, ...children: readonly Child[]): Markup {
  return element('section', { id }, element('h2', {}, title), ...children);
}

/** A sentence below a heading. */
export function lead(...children: readonly Child[]): Markup {
  return element('p', { class: 'lead' }, ...children);
}

/** A name that a stranger gave: its direction of writing stays its own. */
export function named(text: string): Markup {
  return element('bdi', {}, text);
}

/** Small text below something. */
export function under(...children: readonly Child[]): Markup {
  return element('span', { class: 'under' }, ...children);
}

export interface Column {
  readonly title: string;
  /** `number` aligns right; `name` is wide and broken; `why` is prose; `short` stays on one line. */
  readonly kind?: 'number' | 'name' | 'why' | 'short';
}

export interface Row {
  readonly cells: readonly Child[];
  readonly isBest?: boolean;
}

/** A table in a box of its own that scrolls where it is too wide. The first cell of a row is its heading. */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Markup {
  const cell = (child: Child, i: number): Markup =>
    element(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : undefined, class: columns[i]?.kind }, child);
  return element(
    'div',
    // Reachable by keys, or nobody without a pointer could scroll it.
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          columns.map(({ title, kind }) => element('th', { scope: 'col', class: kind }, title)),
        ),
      ),
      element(
        'tbody',
        {},
        rows.map(({ cells, isBest }) => element('tr', { class: isBest ? 'best' : undefined }, cells.map(cell))),
      ),
    ),
  );
}

/** Names and values; what has no value is left out. */
export function keyValues(pairs: readonly (readonly [key: string, value: Child])[], isWide = false): Markup {
  return element(
    'dl',
    { class: isWide ? 'pairs wide' : 'pairs' },
    pairs
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => element('div', {}, element('dt', {}, key), element('dd', {}, value))),
  );
}

/** A number to see first. */
export interface KeyFigure {
  readonly name: string;
  readonly value: string;
  readonly detail?: string | undefined;
}

/** The numbers to see first, large. */
export function keyFigures(figures: readonly KeyFigure[]): Markup | undefined {
  if (figures.length === 0) return undefined;
  return element(
    'dl',
    { class: 'figures' },
    figures.map(({ name, value, detail }) =>
      element(
        'div',
        {},
        element('dt', {}, name),
        element('dd', { class: 'value' }, value),
        detail === undefined ? undefined : element('dd', { class: 'detail' }, detail),
      ),
    ),
  );
}

/** A drawing with its title and, in words, what it shows. A wide one takes the whole row. */
export function figure(title: string, words: Child, drawing: Child, isWide = false): Markup {
  return element(
    'figure',
    { class: isWide ? 'wide' : undefined },
    element('figcaption', {}, element('b', {}, title), words),
    drawing,
  );
}

/** Two versions of a wide drawing, of which a page shows the one that suits its width. */
export function byWidth(wide: Markup, narrow: Markup): Markup {
  return fragment(element('div', { class: 'wide-only' }, wide), element('div', { class: 'narrow-only' }, narrow));
}

/** What stands where there is nothing to draw. */
export function empty(why: string): Markup {
  return element('p', { class: 'empty' }, why);
}

/** Something to heed, with a word for its kind. */
export function notice(kind: 'warning' | 'error', word: string, ...children: readonly Child[]): Markup {
  return element(
    'p',
    { class: kind === 'error' ? 'notice error' : 'notice' },
    element('b', {}, word),
    ' ',
    ...children,
  );
}

export type Result = 'pass' | 'fail' | 'inconclusive' | 'not-comparable';

const RESULTS: Readonly<Record<Result, { readonly sign: string; readonly word: string; readonly style: string }>> = {
  pass: { sign: '✓', word: 'pass', style: 'pass' },
  fail: { sign: '✗', word: 'fail', style: 'fail' },
  inconclusive: { sign: '?', word: 'inconclusive', style: 'inconclusive' },
  'not-comparable': { sign: '–', word: 'not comparable', style: 'none' },
};

/** A verdict as a sign and a word; colour only helps. */
export function result(verdict: Result): Markup {
  const { sign, word, style } = RESULTS[verdict];
  return element('span', { class: `result ${style}` }, `${sign} ${word}`);
}

/** The verdict of a whole report; without one (`none`) the banner is plain. */
export function banner(verdict: Result | 'none', title: string, lines: readonly Child[]): Markup {
  const { sign, style } = verdict === 'none' ? { sign: '·', style: 'none' } : RESULTS[verdict];
  return element(
    'div',
    { class: `verdict ${style}` },
    element('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    element(
      'div',
      {},
      element('strong', {}, title),
      element(
        'ul',
        {},
        lines.map((line) => element('li', {}, line)),
      ),
    ),
  );
}

/** A part that opens and closes. */
export function foldable(
  id: string,
  isOpen: boolean,
  summary: readonly Child[],
  ...children: readonly Child[]
): Markup {
  return element(
    'details',
    { id, open: isOpen ? true : undefined },
    element('summary', {}, ...summary),
    element('div', { class: 'details' }, ...children),
  );
}

/** A list of sentences. */
export function list(items: readonly Child[]): Markup {
  return element(
    'ul',
    { class: 'list' },
    items.map((item) => element('li', {}, item)),
  );
}

/** Links to the parts of a page; nothing where there is only one. */
export function contents(parts: readonly { readonly id: string; readonly title: string }[]): Markup | undefined {
  if (parts.length < 2) return undefined;
  return element(
    'nav',
    { 'aria-label': 'Contents' },
    element(
      'ul',
      { class: 'contents' },
      parts.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title))),
    ),
  );
}
