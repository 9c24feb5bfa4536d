/**
 * Messages in protobuf's text format, by schema. Values are read and written by protobufjs (`ext/textformat`); the places
 * of fields, and what is wrong with them, come from our own look at the syntax.
 */
import { isUtf8 } from 'node:buffer';
import textFormat from 'protobufjs/ext/textformat.js';
import { checkTextFields } from './text-check.js';
import { fromLibrary } from './text-message.js';
import type { TextProblem } from './text-problem.js';
import { reflectedType, type TextMessageOf, type TextSchema } from './text-schema.js';
import { LineIndex, parseTextTree, type TextPosition, TextSyntaxError } from './text-syntax.js';

export { printText } from './print-text.js';
export type { TextProblem } from './text-problem.js';

/** Bytes of one text. */
export const MAX_TEXT_BYTES = 1024 * 1024;

export type ParsedText<M> =
  | { readonly ok: true; readonly message: M; readonly positions: TextPositions }
  | { readonly ok: false; readonly problems: readonly TextProblem[] };

/** Where the fields of a text stand. */
export class TextPositions {
  private readonly known: ReadonlyMap<string, TextPosition>;

  constructor(known: ReadonlyMap<string, TextPosition>) {
    this.known = known;
  }

  /** Whether the text has the field. */
  has(path: string): boolean {
    return this.known.has(path);
  }

  /** The place of a field, of an element (`dims[2]`) or of a map entry (`parameters["x"]`); else of what is around it. */
  at(path: string): TextPosition {
    for (let rest = path; rest !== ''; rest = parentPath(rest)) {
      const found = this.known.get(rest);
      if (found !== undefined) return found;
    }
    return { line: 1, column: 1 };
  }
}

/** `a.b[2]` is in `a.b`, which is in `a`; keys in brackets may have any character. */
function parentPath(path: string): string {
  if (path.endsWith('"]')) return path.slice(0, Math.max(0, path.lastIndexOf('["')));
  return path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('[')));
}

/**
 * Parses a text into a message of the schema. It never throws for what is in the text: all problems that can be told apart
 * are returned, in the order of the text. A byte order mark is skipped, as protobuf does.
 */
export function parseText<S extends TextSchema, N extends keyof S & string>(
  schema: S,
  name: N,
  source: Uint8Array | string,
): ParsedText<TextMessageOf<S, N>> {
  const decoded = decodeText(source);
  if (typeof decoded !== 'string') return { ok: false, problems: [decoded] };
  const lines = new LineIndex(decoded);
  try {
    const tree = parseTextTree(decoded);
    const { problems, places, text } = checkTextFields(schema, name, tree, decoded);
    if (problems.length > 0) {
      return { ok: false, problems: problems.map(({ offset, ...rest }) => ({ ...rest, ...lines.at(offset) })) };
    }
    const type = reflectedType(schema, name);
    const message = fromLibrary(schema, name, textFormat.fromText(type, text) as unknown as Record<string, unknown>);
    const positions = new Map<string, TextPosition>();
    for (const [path, offset] of places) positions.set(path, lines.at(offset));
    return { ok: true, message: message as TextMessageOf<S, N>, positions: new TextPositions(positions) };
  } catch (error) {
    return { ok: false, problems: [libraryProblem(error, lines)] };
  }
}

/** What our look at the syntax did not find, but the library did: its messages have a line at best. */
function libraryProblem(error: unknown, lines: LineIndex): TextProblem {
  if (error instanceof TextSyntaxError) {
    return { kind: 'syntax', message: error.message, path: '', ...lines.at(error.offset) };
  }
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof ReferenceError) throw error;
  const [, message = error.message, line = '1'] = /^(.*?)(?: \(line (\d+)\))?$/s.exec(error.message) ?? [];
  return {
    kind: 'syntax',
    message: `The text format does not allow this: ${message}`,
    path: '',
    line: Number(line),
    column: 1,
  };
}

/** The text of the bytes, or why they are none. */
function decodeText(source: Uint8Array | string): string | TextProblem {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  const at = (kind: TextProblem['kind'], message: string, before = ''): TextProblem => {
    const line = before.split('\n').length;
    return { kind, message, path: '', line, column: before.length - (before.lastIndexOf('\n') + 1) + 1 };
  };
  if (size > MAX_TEXT_BYTES) return at('limit', `The text has more than ${MAX_TEXT_BYTES / 1024 / 1024} MiB`);
  let text = source;
  if (typeof text !== 'string') {
    const [first, second] = text;
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
      return at('encoding', 'The text is UTF-16: save it as UTF-8');
    }
    // Bytes that are no UTF-8 become U+FFFD: the first of them is looked for only if there is one.
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    text = bytes.toString('utf8');
    if (text.includes('\ufffd') && !isUtf8(bytes)) {
      return at('encoding', 'The text is not UTF-8 here', text.slice(0, firstDamage(bytes)));
    }
  }
  if (text.startsWith('\ufeff')) text = ` ${text.slice(1)}`;
  const nul = text.indexOf('\0');
  if (nul >= 0) return at('encoding', 'The text has a NUL character here', text.slice(0, nul));
  return text;
}

/** Characters before the first byte that is no UTF-8: of the prefixes that decode, the longest. */
function firstDamage(bytes: Buffer): number {
  let low = 0;
  let high = bytes.byteLength;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      decoder.decode(bytes.subarray(0, middle), { stream: true });
      low = middle;
    } catch {
      high = middle - 1;
    }
  }
  return new TextDecoder().decode(bytes.subarray(0, low), { stream: true }).length;
}
