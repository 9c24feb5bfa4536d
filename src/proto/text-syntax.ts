/**
 * Where the fields of a protobuf text stand (protobuf.dev, "Text Format Language Specification"): a tree of names and
 * values with their lines and columns, without a schema. Values are not interpreted here: the library does that.
 */

export interface TextPosition {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

export interface FieldNode {
  /** With its brackets if it is the name of an extension. */
  readonly name: string;
  readonly offset: number;
  /** Whether a colon stands between name and value. */
  readonly colon: boolean;
  /** Whether the values stand in brackets. */
  readonly list: boolean;
  readonly values: readonly ValueNode[];
  /** Where the field ends, with the separator after it. */
  readonly end: number;
}

/** A block has fields; a scalar has none, and its text from `offset` to `end` is its value. */
export interface ValueNode {
  readonly offset: number;
  readonly end: number;
  readonly fields?: readonly FieldNode[];
}

/** A text that is not in the format. */
export class TextSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Blocks inside blocks. protobufjs stops there too. */
export const MAX_TEXT_DEPTH = 100;
/** Values of one text: the library takes about 10 µs for each. */
export const MAX_TEXT_VALUES = 100_000;

const SPACE = /[ \t\r\n\v\f]+/y;
const NAME = /[A-Za-z_]\w*/y;
const EXTENSION = /\[[^\]\n"'#{}]*\]/y;
/** A word or a number; the library tells which ones are. */
const SCALAR = /-?(?:[ \t\r\n\v\f]+|#[^\n]*\n)*(?:[A-Za-z_]\w*|\.?\d(?:[eE][+-]\d|[\w.])*)/y;

/** Reads a text into its tree. @throws TextSyntaxError at the first place that is not in the format */
export function parseTextTree(text: string): readonly FieldNode[] {
  return new TreeReader(text).fields(undefined, 0);
}

class TreeReader {
  private position = 0;
  private valueCount = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Fields up to the bracket that closes the block, or to the end of the text. */
  fields(close: '}' | '>' | undefined, depth: number): readonly FieldNode[] {
    if (depth > MAX_TEXT_DEPTH) this.fail(`Blocks are nested more than ${MAX_TEXT_DEPTH} deep`);
    const fields: FieldNode[] = [];
    const start = this.position;
    for (;;) {
      const next = this.peek();
      if (next === close) break;
      if (next === undefined) throw new TextSyntaxError(`The block is not closed: "${close}" is missing`, start - 1);
      fields.push(this.field(next, depth));
    }
    return fields;
  }

  private field(next: string, depth: number): FieldNode {
    const offset = this.position;
    const name = this.match(next === '[' ? EXTENSION : NAME);
    if (name === undefined) this.fail(`A field name is due here, not ${shown(next, this.text, offset)}`);
    const colon = this.take(':');
    const list = this.take('[');
    const values: ValueNode[] = [];
    if (!list) values.push(this.value(name, depth));
    else if (!this.take(']')) {
      do values.push(this.value(name, depth));
      while (this.take(','));
      if (!this.take(']')) this.fail(`The list of ${name} has neither "," nor "]" here`);
    }
    if (!this.take(',')) this.take(';');
    return { name, offset, colon, list, values, end: this.position };
  }

  private value(name: string, depth: number): ValueNode {
    this.valueCount++;
    if (this.valueCount > MAX_TEXT_VALUES) this.fail(`The text has more than ${MAX_TEXT_VALUES} values`);
    const next = this.peek();
    const offset = this.position;
    if (next === '{' || next === '<') {
      this.position++;
      const close = next === '{' ? '}' : '>';
      const fields = this.fields(close, depth + 1);
      this.position++;
      return { offset, end: this.position, fields };
    }
    if (next === '"' || next === "'") return { offset, end: this.strings() };
    if (this.match(SCALAR) !== undefined) return { offset, end: this.position };
    return this.fail(
      next === undefined
        ? `The text ends before the value of ${name}`
        : `The value of ${name} is due here, not ${shown(next, this.text, offset)}`,
    );
  }

  /** Strings beside each other are one. Returns where the last ends. */
  private strings(): number {
    let end: number;
    let next: string | undefined;
    do {
      end = this.string();
      next = this.peek();
    } while (next === '"' || next === "'");
    return end;
  }

  private string(): number {
    const quote = this.text[this.position];
    for (let at = this.position + 1; at < this.text.length; at++) {
      const character = this.text[at];
      if (character === quote) {
        this.position = at + 1;
        return this.position;
      }
      if (character === '\n') break;
      if (character === '\\' && this.text[at + 1] !== '\n') at++;
    }
    return this.fail(`The string is not closed on its line: ${quote} is missing`);
  }

  /** The next character that is not space or comment; undefined at the end. */
  private peek(): string | undefined {
    for (;;) {
      this.match(SPACE);
      if (this.text[this.position] !== '#') return this.text[this.position];
      const end = this.text.indexOf('\n', this.position);
      this.position = end < 0 ? this.text.length : end;
    }
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.position++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  private fail(message: string): never {
    throw new TextSyntaxError(message, this.position);
  }
}

/** A character for a message. */
function shown(character: string, text: string, offset: number): string {
  const code = text.codePointAt(offset) ?? 0;
  if (code < 0x20 || code === 0x7f || (code >= 0x80 && code < 0xa0)) {
    return `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return code > 0x7e ? `"${String.fromCodePoint(code)}"` : `"${character}"`;
}

/** Finds lines and columns of offsets in a text. */
export class LineIndex {
  private readonly starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.starts.push(at + 1);
  }

  at(offset: number): TextPosition {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.starts[low] ?? 0) + 1 };
  }
}
