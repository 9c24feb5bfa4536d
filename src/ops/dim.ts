/**
 * Arithmetic on dimensions that may be symbolic. A dimension is a number, the canonical text of an integer expression
 * over named sizes (`2*seq+1`, `floor((h+1)/2)`, `min(512,seq)`, `batch - 1`), or undefined when nothing is known.
 *
 * Minus is written with spaces, since names from exporters may hold a hyphen (`batch-size` is one name). A text that is
 * no expression of this kind is one opaque name: equal to itself, but arithmetic with it gives undefined.
 * Every result is exact: what leaves the safe integers, or grows beyond the limits below, is undefined.
 */
import type { Dim } from '../ir/type.js';
import { parseExpression } from './dim-parse.js';
import {
  addPoly,
  atomsOf,
  constantOf,
  dividePoly,
  extremeAtom,
  floorDividePoly,
  MAX_EXPRESSION_LENGTH,
  multiplyPoly,
  type Poly,
  polyText,
  splitExtreme,
  splitFloor,
} from './poly.js';

function toPoly(dim: Dim): Poly | undefined {
  if (dim === undefined) return undefined;
  if (typeof dim === 'number') return Number.isSafeInteger(dim) ? new Map(dim === 0 ? [] : [['', dim]]) : undefined;
  return parseExpression(dim);
}

function fromPoly(poly: Poly | undefined): Dim {
  if (!poly) return undefined;
  const constant = constantOf(poly);
  if (constant !== undefined) return constant;
  const text = polyText(poly);
  return text.length <= MAX_EXPRESSION_LENGTH ? text : undefined;
}

function combine(a: Dim, b: Dim, operation: (x: Poly, y: Poly) => Poly | undefined): Dim {
  const x = toPoly(a);
  const y = toPoly(b);
  return x && y ? fromPoly(operation(x, y)) : undefined;
}

export function addDims(a: Dim, b: Dim): Dim {
  if (a === 0) return b;
  if (b === 0) return a;
  return combine(a, b, addPoly);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  if (b === 0) return a;
  if (a !== undefined && a === b) return 0;
  return combine(a, b, (x, y) => {
    const negated = multiplyPoly(y, new Map([['', -1]]));
    return negated && addPoly(x, negated);
  });
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1) return a;
  // Zero times an unknown size is zero: dimensions are finite.
  if (a === 0 || b === 0) return 0;
  return combine(a, b, multiplyPoly);
}

/** The product of all dimensions; 1 for none. */
export function productOfDims(dims: readonly Dim[]): Dim {
  if (dims.includes(0)) return 0;
  let product: Dim = 1;
  for (const dim of dims) product = multiplyDims(product, dim);
  return product;
}

/** Floor of `a / divisor` for a positive divisor: `floor((h+1)/2)` where it does not come out even. */
export function floorDivideDim(a: Dim, divisor: number): Dim {
  if (!Number.isSafeInteger(divisor) || divisor <= 0) return undefined;
  if (divisor === 1) return a;
  if (typeof a === 'number') return Math.floor(a / divisor);
  const poly = toPoly(a);
  return poly && fromPoly(floorDividePoly(poly, divisor));
}

/** Ceiling of `a / divisor` for a positive divisor. */
export function ceilDivideDim(a: Dim, divisor: number): Dim {
  return floorDivideDim(addDims(a, divisor - 1), divisor);
}

/** `a / b` where `b` divides `a` whatever the symbols are (and are not 0); else undefined. */
export function divideDimsExactly(a: Dim, b: Dim): Dim {
  if (b === 1) return a;
  if (b === 0) return undefined;
  if (a !== undefined && a === b) return 1;
  return combine(a, b, dividePoly);
}

/**
 * `product(numerator) / product(denominator)`, cancelling equal factors first; undefined when it does not come out even
 * or a zero makes it meaningless. What Reshape needs for its -1.
 */
export function divideProducts(numerator: readonly Dim[], denominator: readonly Dim[]): Dim {
  const rest = [...numerator];
  const below: Dim[] = [];
  for (const dim of denominator) {
    const at = dim === undefined || dim === 0 ? -1 : rest.indexOf(dim);
    if (at >= 0) rest.splice(at, 1);
    else below.push(dim);
  }
  return divideDimsExactly(productOfDims(rest), productOfDims(below));
}

/** The greater of two: one of them where that is provable, else `max(x,y)`, for dimensions being at least 0. */
export function maxDims(a: Dim, b: Dim): Dim {
  if (atLeast(a, b)) return a;
  if (atLeast(b, a)) return b;
  return isNonNegative(a) || isNonNegative(b) ? extreme('max', a, b) : undefined;
}

/** The lesser of two: one of them where that is provable, else `min(x,y)`; undefined when it may be negative. */
export function minDims(a: Dim, b: Dim): Dim {
  if (atLeast(a, b)) return b;
  if (atLeast(b, a)) return a;
  return isNonNegative(a) && isNonNegative(b) ? extreme('min', a, b) : undefined;
}

function extreme(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  return combine(a, b, (x, y) => extremeAtom(kind, polyText(x), polyText(y)));
}

/** True when `a >= b` for every value of the symbols at or above 0. */
export function atLeast(a: Dim, b: Dim): boolean {
  return isNonNegative(subtractDims(a, b));
}

/** True when it is provable that no symbol value at or above 0 makes it negative. */
export function isNonNegative(dim: Dim): boolean {
  if (typeof dim === 'number') return dim >= 0;
  const poly = toPoly(dim);
  if (!poly) return typeof dim === 'string';
  return isNonNegativePoly(poly, 0);
}

/** How many `min` and `max` are taken apart in one proof. */
const MAX_PROOF_DEPTH = 3;

function isNonNegativePoly(poly: Poly, depth: number): boolean {
  let negative = false;
  for (const coefficient of poly.values()) if (coefficient < 0) negative = true;
  // Atoms are never negative.
  if (!negative) return true;
  if (depth >= MAX_PROOF_DEPTH) return false;
  for (const [monomial, coefficient] of poly) {
    const parts = splitExtreme(monomial);
    if (!parts) continue;
    const holds = (text: string) => {
      const replaced = substitute(poly, monomial, coefficient, text);
      return replaced !== undefined && isNonNegativePoly(replaced, depth + 1);
    };
    // -min(x,y) is at least -x, and max(x,y) at least x: either will do. The other way round both must hold.
    const either = coefficient < 0 === (parts.kind === 'min');
    if (either ? parts.arguments.some(holds) : parts.arguments.every(holds)) return true;
  }
  return false;
}

function substitute(poly: Poly, monomial: string, coefficient: number, text: string): Poly | undefined {
  const value = parseExpression(text);
  const scaled = value && multiplyPoly(value, new Map([['', coefficient]]));
  const rest = new Map(poly);
  rest.delete(monomial);
  return scaled && addPoly(rest, scaled);
}

/** The value of a dimension with the given symbol sizes; undefined when a symbol is missing or nothing is known. */
export function evaluateDim(dim: Dim, symbols: ReadonlyMap<string, number>): number | undefined {
  if (typeof dim !== 'string') return dim;
  const whole = symbols.get(dim);
  if (whole !== undefined) return whole;
  const poly = parseExpression(dim);
  return poly && evaluatePoly(poly, symbols);
}

/** A dimension with sizes in the place of some of its symbols; undefined when that leaves the expressions known here. */
export function substituteDim(dim: Dim, symbols: ReadonlyMap<string, number>): Dim {
  if (typeof dim !== 'string') return dim;
  const whole = symbols.get(dim);
  if (whole !== undefined) return whole;
  if (!symbolsOf(dim).some((name) => symbols.has(name))) return dim;
  const poly = parseExpression(dim);
  if (!poly) return undefined;
  let total: Dim = 0;
  for (const [monomial, coefficient] of poly) {
    let term: Dim = coefficient;
    for (const atom of atomsOf(monomial)) term = multiplyDims(term, substituteAtom(atom, symbols));
    total = addDims(total, term);
  }
  return total;
}

function substituteAtom(atom: string, symbols: ReadonlyMap<string, number>): Dim {
  const extremes = splitExtreme(atom);
  if (extremes) {
    const [a, b] = extremes.arguments.map((text) => substituteDim(readDim(text), symbols));
    return extremes.kind === 'min' ? minDims(a, b) : maxDims(a, b);
  }
  const floor = splitFloor(atom);
  if (floor) return floorDivideDim(substituteDim(readDim(floor.numerator), symbols), floor.divisor);
  return symbols.get(atom) ?? atom;
}

function evaluatePoly(poly: Poly, symbols: ReadonlyMap<string, number>): number | undefined {
  let total = 0;
  for (const [monomial, coefficient] of poly) {
    let term = coefficient;
    for (const atom of atomsOf(monomial)) {
      const value = evaluateAtom(atom, symbols);
      if (value === undefined) return undefined;
      term *= value;
    }
    total += term;
  }
  return Number.isSafeInteger(total) ? total : undefined;
}

function evaluateAtom(atom: string, symbols: ReadonlyMap<string, number>): number | undefined {
  const extremes = splitExtreme(atom);
  if (extremes) {
    const [a, b] = extremes.arguments.map((text) => evaluateDim(readDim(text), symbols));
    if (a === undefined || b === undefined) return undefined;
    return extremes.kind === 'min' ? Math.min(a, b) : Math.max(a, b);
  }
  const floor = splitFloor(atom);
  if (!floor) return symbols.get(atom);
  const inner = evaluateDim(floor.numerator, symbols);
  return inner === undefined ? undefined : Math.floor(inner / floor.divisor);
}

function readDim(text: string): Dim {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The symbol names in a dimension, each once, in order of appearance. */
export function symbolsOf(dim: Dim): string[] {
  if (typeof dim !== 'string') return [];
  const poly = parseExpression(dim);
  if (!poly) return [dim];
  const names = new Set<string>();
  for (const monomial of poly.keys()) {
    for (const atom of atomsOf(monomial)) {
      const inner = splitExtreme(atom)?.arguments ?? [splitFloor(atom)?.numerator ?? atom];
      for (const text of inner) for (const name of text === atom ? [atom] : symbolsOf(text)) names.add(name);
    }
  }
  return [...names];
}
