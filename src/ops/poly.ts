/**
 * Polynomials with integer coefficients over atoms: the inner form of symbolic dimensions. An atom is a symbol name,
 * the text `floor(…/k)`, whose numerator never has a negative coefficient, or `min(x,y)` or `max(x,y)` with a result of
 * at least 0: atoms are never negative.
 */

/** Monomial (its atoms, sorted, joined by SEPARATOR; '' for the constant) → coefficient, never 0. */
export type Poly = ReadonlyMap<string, number>;

/** Longest expression kept, in characters: what grows beyond it is unknown. */
export const MAX_EXPRESSION_LENGTH = 160;

/** No symbol that arithmetic is done with holds white space. */
const SEPARATOR = '\n';
const MAX_TERMS = 24;
const MAX_DEGREE = 8;

export function atomsOf(monomial: string): readonly string[] {
  return monomial === '' ? [] : monomial.split(SEPARATOR);
}

export function atomPoly(atom: string): Poly {
  return new Map([[atom, 1]]);
}

/** The constant a polynomial is, or undefined when it has symbols. */
export function constantOf(poly: Poly): number | undefined {
  if (poly.size === 0) return 0;
  return poly.size === 1 ? poly.get('') : undefined;
}

/** Undefined when a coefficient leaves the safe integers or there are too many terms. */
export function addPoly(a: Poly, b: Poly): Poly | undefined {
  const sum = new Map(a);
  for (const [monomial, coefficient] of b) {
    const total = (sum.get(monomial) ?? 0) + coefficient;
    if (!Number.isSafeInteger(total)) return undefined;
    if (total === 0) sum.delete(monomial);
    else sum.set(monomial, total);
  }
  return sum.size <= MAX_TERMS ? sum : undefined;
}

export function multiplyPoly(a: Poly, b: Poly): Poly | undefined {
  let product: Poly | undefined = new Map();
  for (const [m, x] of a) {
    const row = new Map<string, number>();
    for (const [n, y] of b) {
      const atoms = [...atomsOf(m), ...atomsOf(n)].sort();
      const coefficient = x * y;
      if (atoms.length > MAX_DEGREE || !Number.isSafeInteger(coefficient)) return undefined;
      row.set(atoms.join(SEPARATOR), coefficient);
    }
    product = addPoly(product, row);
    if (!product) return undefined;
  }
  return product;
}

/** The quotient when `b` divides `a` without remainder, by long division; else undefined. */
export function dividePoly(a: Poly, b: Poly): Poly | undefined {
  const lead = leadingTerm(b);
  if (!lead) return undefined;
  let rest: Poly | undefined = a;
  let quotient: Poly | undefined = new Map();
  for (let step = 0; step <= MAX_TERMS; step++) {
    if (!rest || !quotient) return undefined;
    const top = leadingTerm(rest);
    if (!top) return quotient;
    const monomial = divideMonomial(top[0], lead[0]);
    const coefficient = top[1] / lead[1];
    if (monomial === undefined || !Number.isSafeInteger(coefficient)) return undefined;
    quotient = addPoly(quotient, new Map([[monomial, coefficient]]));
    const taken = multiplyPoly(b, new Map([[monomial, -coefficient]]));
    rest = taken && addPoly(rest, taken);
  }
  return undefined;
}

function leadingTerm(poly: Poly): readonly [string, number] | undefined {
  let best: readonly [string, number] | undefined;
  for (const term of poly) if (!best || compareMonomials(term[0], best[0]) < 0) best = term;
  return best;
}

function divideMonomial(a: string, b: string): string | undefined {
  const rest = [...atomsOf(a)];
  for (const atom of atomsOf(b)) {
    const at = rest.indexOf(atom);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest.join(SEPARATOR);
}

/**
 * Floor of `poly / divisor`, divisor a positive integer. What divides evenly leaves the floor; the rest gets coefficients
 * from 0 to divisor - 1; a floor of a floor becomes one: `floor((floor(x/a)+c)/b) = floor((x+a*c)/(a*b))`.
 */
export function floorDividePoly(poly: Poly, divisor: number): Poly | undefined {
  const outside = new Map<string, number>();
  const inside = new Map<string, number>();
  let common = divisor;
  for (const [monomial, coefficient] of poly) {
    const quotient = Math.floor(coefficient / divisor);
    const remainder = coefficient - quotient * divisor;
    if (quotient !== 0) outside.set(monomial, quotient);
    if (remainder === 0) continue;
    inside.set(monomial, remainder);
    if (monomial !== '') common = gcd(common, remainder);
  }
  if (constantOf(inside) !== undefined) return outside;
  const constant = Math.floor((inside.get('') ?? 0) / common);
  const reduced = new Map<string, number>();
  for (const [monomial, coefficient] of inside) if (monomial !== '') reduced.set(monomial, coefficient / common);
  if (constant !== 0) reduced.set('', constant);
  const floor = floorAtom(reduced, divisor / common);
  return floor && addPoly(outside, floor);
}

function floorAtom(poly: Poly, divisor: number): Poly | undefined {
  if (divisor === 1) return poly;
  const nested = nestedFloor(poly, divisor);
  if (nested) return nested;
  const text = polyText(poly);
  const simple = poly.size === 1;
  const atom = `floor(${simple ? text : `(${text})`}/${divisor})`;
  return atom.length <= MAX_EXPRESSION_LENGTH ? atomPoly(atom) : undefined;
}

/** `floor((floor(x/a)+c)/b)` as one floor; the numerator is kept as text, so x stays a single opaque term only if simple. */
function nestedFloor(poly: Poly, divisor: number): Poly | undefined {
  const symbols = [...poly].filter(([monomial]) => monomial !== '');
  const [only] = symbols;
  if (symbols.length !== 1 || !only || only[1] !== 1) return undefined;
  const parts = splitFloor(only[0]);
  const product = parts && parts.divisor * divisor;
  const shift = parts && parts.divisor * (poly.get('') ?? 0);
  if (!parts || !Number.isSafeInteger(product) || !Number.isSafeInteger(shift)) return undefined;
  const numerator = shift ? addPoly(parts.poly(), new Map([['', shift]])) : parts.poly();
  return numerator && floorDividePoly(numerator, product as number);
}

export interface FloorParts {
  readonly numerator: string;
  readonly divisor: number;
  readonly poly: () => Poly;
}

/** The parts of a `floor(…/k)` atom; undefined for a plain name. */
export function splitFloor(atom: string): FloorParts | undefined {
  if (!atom.startsWith('floor(') || !atom.endsWith(')')) return undefined;
  const slash = atom.lastIndexOf('/');
  const divisor = Number(atom.slice(slash + 1, -1));
  const text = atom.slice('floor('.length, slash);
  const numerator = text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text;
  return { numerator, divisor, poly: () => readCanonical(numerator) };
}

export interface ExtremeParts {
  readonly kind: 'min' | 'max';
  readonly arguments: readonly [string, string];
}

/** The atom `min(x,y)` or `max(x,y)`, arguments in a fixed order; undefined when it grows too long. */
export function extremeAtom(kind: ExtremeParts['kind'], a: string, b: string): Poly | undefined {
  const atom = `${kind}(${a < b ? `${a},${b}` : `${b},${a}`})`;
  return atom.length <= MAX_EXPRESSION_LENGTH ? atomPoly(atom) : undefined;
}

/** The parts of a `min(x,y)` or `max(x,y)` atom; undefined for any other. */
export function splitExtreme(atom: string): ExtremeParts | undefined {
  const kind = atom.startsWith('min(') ? 'min' : atom.startsWith('max(') ? 'max' : undefined;
  if (!kind || !atom.endsWith(')')) return undefined;
  const [a, b] = splitOutside(atom.slice(4, -1), ',');
  return a === undefined || b === undefined ? undefined : { kind, arguments: [a, b] };
}

/** Reads back what `polyText` wrote for a numerator: terms joined by `+`, factors by `*`, floors as one factor. */
function readCanonical(text: string): Poly {
  const poly = new Map<string, number>();
  for (const term of splitOutside(text, '+')) {
    let coefficient = 1;
    const atoms: string[] = [];
    for (const factor of splitOutside(term, '*')) {
      if (/^\d+$/.test(factor)) coefficient = Number(factor);
      else atoms.push(factor);
    }
    poly.set(atoms.sort().join(SEPARATOR), coefficient);
  }
  return poly;
}

/** Splits at a character that stands outside parentheses. */
export function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === separator && depth === 0) {
      pieces.push(text.slice(from, at));
      from = at + 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}

function gcd(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** Higher degree first, then by name; the constant last. */
function compareMonomials(a: string, b: string): number {
  const byDegree = atomsOf(b).length - atomsOf(a).length;
  return byDegree !== 0 ? byDegree : a < b ? -1 : a > b ? 1 : 0;
}

/** Canonical text: `2*seq+1`, `batch - 1`. Terms with a minus come last. */
export function polyText(poly: Poly): string {
  const terms = [...poly].sort((a, b) => Number(a[1] < 0) - Number(b[1] < 0) || compareMonomials(a[0], b[0]));
  let text = '';
  for (const [monomial, coefficient] of terms) {
    const size = Math.abs(coefficient);
    const atoms = atomsOf(monomial).join('*');
    const term = atoms === '' ? String(size) : size === 1 ? atoms : `${size}*${atoms}`;
    if (coefficient < 0) text += text === '' ? `-${term}` : ` - ${term}`;
    else text += text === '' ? term : `+${term}`;
  }
  return text === '' ? '0' : text;
}
