import { safeText } from '../safe-text.js';

/** Text of HTML or SVG that may stand in a page as it is. Made by `element` and `trusted` only; data never is one. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What stands in an element. Whatever is not Markup is text of a stranger and is escaped. */
export type Child = Markup | string | number | undefined | readonly Child[];

/** Names come from our own code only; values may be anything. `true` is an attribute without a value. */
export type Attributes = Readonly<Record<string, string | number | true | Markup | undefined>>;

/** Elements of HTML that have no end tag. */
const VOID: ReadonlySet<string> = new Set(['meta', 'br', 'col']);

/** Shapes of SVG, which end in themselves when they are empty. */
const SHAPES: ReadonlySet<string> = new Set(['rect', 'path', 'line', 'circle']);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for a page: nothing in it is markup, and what cannot be seen or turns the direction of text is made visible. */
export function escapeText(text: string): string {
  return safeText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** An element of HTML or SVG. Numbers in attributes are coordinates: two decimals. */
export function element(name: string, attributes: Attributes, ...children: readonly Child[]): Markup {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    text += value === true ? ` ${key}` : ` ${key}="${attributeText(value)}"`;
  }
  if (VOID.has(name)) return new Markup(`${text}>`);
  const inside = childText(children);
  if (inside === '' && SHAPES.has(name)) return new Markup(`${text}/>`);
  return new Markup(`${text}>${inside}</${name}>`);
}

/** Several children without an element around them. */
export function fragment(...children: readonly Child[]): Markup {
  return new Markup(childText(children));
}

/** A constant of our own sources that is markup or a style sheet. Never for data. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** A coordinate for attributes and paths; what is not a finite number becomes 0, as browsers refuse it. */
export function decimal(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}

function attributeText(value: string | number | Markup): string {
  if (value instanceof Markup) return value.toString();
  return typeof value === 'number' ? decimal(value) : escapeText(String(value));
}

function childText(child: Child): string {
  if (child === undefined) return '';
  if (child instanceof Markup) return child.toString();
  if (Array.isArray(child)) return child.map(childText).join('');
  return escapeText(String(child));
}
