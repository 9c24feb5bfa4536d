import {
  addPoly,
  atomPoly,
  extremeAtom,
  floorDividePoly,
  MAX_EXPRESSION_LENGTH,
  multiplyPoly,
  type Poly,
  polyText,
} from './poly.js';

const MAX_DEPTH = 8;
const NAME = /[^\s+*/(),\d][^\s+*/(),]*/y;
const NUMBER = /\d+/y;

interface Cursor {
  readonly text: string;
  at: number;
}

/**
 * Reads an expression of dimensions: integers, names, `+`, ` - ` (with spaces, or in front), `*`, parentheses and
 * `floor(x/k)`, `min(x,y)`, `max(x,y)`. Undefined when the text is anything else, so that the caller takes it as one opaque name.
 */
export function parseExpression(text: string): Poly | undefined {
  if (text.length > MAX_EXPRESSION_LENGTH) return undefined;
  const cursor = { text, at: 0 };
  const poly = sum(cursor, 0);
  return cursor.at === text.length ? poly : undefined;
}

function sum(cursor: Cursor, depth: number): Poly | undefined {
  if (depth > MAX_DEPTH) return undefined;
  let total: Poly | undefined = new Map();
  let sign = take(cursor, '-') ? -1 : 1;
  for (;;) {
    const term: Poly | undefined = product(cursor, depth);
    const signed = term && multiplyPoly(term, new Map([['', sign]]));
    total = total && signed && addPoly(total, signed);
    if (!total) return undefined;
    if (take(cursor, ' - ')) sign = -1;
    else if (take(cursor, ' + ') || take(cursor, '+')) sign = 1;
    else return total;
  }
}

function product(cursor: Cursor, depth: number): Poly | undefined {
  let total = factor(cursor, depth);
  while (total && (take(cursor, '*') || take(cursor, ' * '))) {
    const next = factor(cursor, depth);
    total = next && multiplyPoly(total, next);
  }
  return total;
}

function factor(cursor: Cursor, depth: number): Poly | undefined {
  const digits = match(cursor, NUMBER);
  if (digits !== undefined) {
    const value = Number(digits);
    return Number.isSafeInteger(value) ? new Map(value === 0 ? [] : [['', value]]) : undefined;
  }
  if (take(cursor, 'floor(')) return floor(cursor, depth);
  if (take(cursor, 'min(')) return extreme(cursor, depth, 'min');
  if (take(cursor, 'max(')) return extreme(cursor, depth, 'max');
  if (take(cursor, '(')) {
    const inner = sum(cursor, depth + 1);
    return inner && take(cursor, ')') ? inner : undefined;
  }
  const name = match(cursor, NAME);
  return name === undefined ? undefined : atomPoly(name);
}

function floor(cursor: Cursor, depth: number): Poly | undefined {
  const numerator = product(cursor, depth + 1);
  if (!numerator || !take(cursor, '/')) return undefined;
  const digits = match(cursor, NUMBER);
  const divisor = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(divisor) || divisor === 0) return undefined;
  return take(cursor, ')') ? floorDividePoly(numerator, divisor) : undefined;
}

function extreme(cursor: Cursor, depth: number, kind: 'min' | 'max'): Poly | undefined {
  const a = sum(cursor, depth + 1);
  if (!a || !take(cursor, ',')) return undefined;
  const b = sum(cursor, depth + 1);
  return b && take(cursor, ')') ? extremeAtom(kind, polyText(a), polyText(b)) : undefined;
}

function take(cursor: Cursor, token: string): boolean {
  if (!cursor.text.startsWith(token, cursor.at)) return false;
  cursor.at += token.length;
  return true;
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}
