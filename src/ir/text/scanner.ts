import { decodeUtf8, encodeUtf8 } from '../../codec/utf8.js';
import { ServeOptError } from '../../errors.js';
import { concatBytes } from './names.js';

/** A literal of the text syntax. An integer keeps its digits, since it may be wider than a double holds. */
export type Literal =
  | { readonly kind: 'int'; readonly text: string; readonly at: number }
  | { readonly kind: 'float'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly bytes: Uint8Array; readonly at: number };

const SPACE = /(?:\s|#[^\n]*)*/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /-?\d+(\.\d*)?([eE][+-]?\d+)?/y;
const SPECIAL_FLOAT = /(-?)(inf(?:inity)?|nan)(?![A-Za-z0-9_])/iy;
const ESCAPE = /\\(?:x([0-9A-Fa-f]{2})|[\s\S])/g;

/** How deep graphs and types may nest in a text. */
export const MAX_TEXT_DEPTH = 100;

/** Reads tokens of ONNX text and reports errors with line, column and the line itself. White space and `#` comments go unseen. */
export class Scanner {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Offset of the next token. */
  get position(): number {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.text);
    this.#at = SPACE.lastIndex;
    return this.#at;
  }

  /** Goes back to an offset given by `position`. */
  rewind(position: number): void {
    this.#at = position;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** The next character, or '' at the end. */
  peek(): string {
    return this.text.charAt(this.position);
  }

  /** Takes `token` if it comes next. */
  matches(token: string): boolean {
    if (!this.text.startsWith(token, this.position)) return false;
    this.#at += token.length;
    return true;
  }

  /** Takes `token` or fails; `where` completes "expected X …". */
  expect(token: string, where: string): void {
    if (!this.matches(token)) this.fail(`expected "${token}" ${where}, found ${this.found()}`);
  }

  /** An identifier, or undefined. */
  identifier(): string | undefined {
    return this.#take(IDENTIFIER);
  }

  /** The identifier that comes next, without taking it. */
  peekIdentifier(): string | undefined {
    const start = this.position;
    const word = this.identifier();
    this.#at = start;
    return word;
  }

  /** An identifier or a quoted name. */
  name(what: string): string {
    const name = this.optionalName();
    if (name === undefined) this.fail(`expected ${what}, found ${this.found()}`);
    return name;
  }

  optionalName(): string | undefined {
    return this.peek() === '"' ? decodeUtf8(this.stringBytes()) : this.identifier();
  }

  /** A quoted string as text. */
  string(what: string): string {
    if (this.peek() !== '"') this.fail(`expected ${what} in quotes, found ${this.found()}`);
    return decodeUtf8(this.stringBytes());
  }

  /** A quoted string as bytes: `\xHH` is a byte, a backslash before anything else is dropped. */
  stringBytes(): Uint8Array {
    const start = this.position;
    let end = start + 1;
    for (; this.text[end] !== '"'; end++) {
      if (this.text[end] === '\\') end++;
      if (end >= this.text.length) this.fail('the string has no closing quote', start);
    }
    this.#at = end + 1;
    return unescapeString(this.text.slice(start + 1, end));
  }

  /** A number or string, or undefined when neither comes next. */
  literal(): Literal | undefined {
    const at = this.position;
    if (this.text[at] === '"') return { kind: 'string', bytes: this.stringBytes(), at };
    const special = this.#takeMatch(SPECIAL_FLOAT);
    if (special) {
      const size = special[2]?.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
      return { kind: 'float', value: special[1] ? -size : size, at };
    }
    const number = this.#takeMatch(NUMBER);
    if (!number) return undefined;
    if (number[1] === undefined && number[2] === undefined) return { kind: 'int', text: number[0], at };
    return { kind: 'float', value: Number(number[0]), at };
  }

  /** An int64. */
  int64(what: string): number | bigint {
    const literal = this.literal();
    if (literal?.kind !== 'int') {
      this.fail(`expected ${what}, a whole number${literal ? '' : `, found ${this.found()}`}`, literal?.at);
    }
    return this.toInt64(literal.text, literal.at);
  }

  /** Digits to an int64: a number when it is safe, else a bigint. */
  toInt64(text: string, at: number): number | bigint {
    const short = Number(text);
    if (Number.isSafeInteger(short)) return short === 0 ? 0 : short;
    const long = BigInt(text);
    if (BigInt.asIntN(64, long) !== long) this.fail(`${text} does not fit into 64 bits`, at);
    return long;
  }

  /** A whole number that a double holds exactly, for versions and sizes. */
  integer(what: string): number {
    const at = this.position;
    const value = this.int64(what);
    if (typeof value === 'bigint') this.fail(`${what} is too large`, at);
    return value;
  }

  /** What comes next, for messages. */
  found(): string {
    if (this.atEnd) return 'the end of the text';
    const word = this.peekIdentifier();
    return JSON.stringify(word === undefined ? this.peek() : word.slice(0, 40));
  }

  /** @throws SO3003 always, with line, column and a code frame. */
  fail(message: string, at: number = this.position): never {
    const lineStart = this.text.lastIndexOf('\n', at - 1) + 1;
    let line = 1;
    for (let i = this.text.indexOf('\n'); i >= 0 && i < at; i = this.text.indexOf('\n', i + 1)) line++;
    const column = at - lineStart + 1;
    throw new ServeOptError('SO3003', `line ${line}, column ${column}: ${message}`, {
      why: codeFrame(this.text, lineStart, at, line),
    });
  }

  #take(pattern: RegExp): string | undefined {
    return this.#takeMatch(pattern)?.[0];
  }

  #takeMatch(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}

/** The line of the error with a caret below it; long lines are cut around the column, controls shown as dots. */
function codeFrame(text: string, lineStart: number, at: number, line: number): string {
  const lineEnd = text.indexOf('\n', lineStart);
  const from = Math.max(lineStart, at - 60);
  const to = Math.min(lineEnd < 0 ? text.length : lineEnd, at + 60);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal.
  const shown = text.slice(from, to).replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');
  const gutter = `${line} | `;
  return `${gutter}${shown}\n${' '.repeat(gutter.length - 2)}| ${' '.repeat(at - from)}^`;
}

function unescapeString(inner: string): Uint8Array {
  if (!inner.includes('\\')) return encodeUtf8(inner);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const match of inner.matchAll(ESCAPE)) {
    parts.push(encodeUtf8(inner.slice(from, match.index)));
    if (match[1] !== undefined) {
      parts.push(Uint8Array.of(Number.parseInt(match[1], 16)));
      from = match.index + match[0].length;
    } else {
      // Only the backslash goes; the character after it begins the next plain stretch.
      from = match.index + 1;
    }
  }
  parts.push(encodeUtf8(inner.slice(from)));
  return concatBytes(parts);
}
