/**
 * Messages in protobuf's text format, by schema. Values are read and written by protobufjs (`ext/textformat`); the places
 * of fields, and what is wrong with them, come from our own look at the syntax.
 */
import { isUtf8 } from 'node:buffer';
import textFormat from 'protobufjs/ext/textformat.js';
import { checkTextFields, type OffsetProblem } from './text-check.js';
import { fromLibrary } from './text-message.js';
import type { DecodedText, TextProblem } from './text-problem.js';
import { reflectedType, type TextMessageOf, type TextSchema } from './text-schema.js';
import { LineIndex, parseTextTree, type TextPosition, TextSyntaxError } from './text-syntax.js';

export { printText } from './print-text.js';
export type { TextProblem } from './text-problem.js';

/** Bytes of one text. */
export const MAX_TEXT_BYTES = 1024 * 1024;

export type ParsedText<M> =
  | {
      readonly ok: true;
      readonly message: M;
      readonly positions: TextPositions;
      /** What is allowed and probably not meant. */
      readonly notices: readonly TextProblem[];
    }
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
 * are returned, in the order of the text. Bytes that are not UTF-8 may stand in comments and strings, as in C++.
 */
export function parseText<S extends TextSchema, N extends keyof S & string>(
  schema: S,
  name: N,
  source: Uint8Array | string,
): ParsedText<TextMessageOf<S, N>> {
  const decoded = decodeText(source);
  if (decoded.problem !== undefined) return { ok: false, problems: [decoded.problem] };
  const lines = new LineIndex(decoded.text);
  try {
    const tree = parseTextTree(decoded.text);
    const { problems, notices, places, text } = checkTextFields(schema, name, tree, decoded);
    const placed = ({ offset, ...rest }: OffsetProblem): TextProblem => ({ ...rest, ...lines.at(offset) });
    if (problems.length > 0) return { ok: false, problems: problems.map(placed) };
    const type = reflectedType(schema, name);
    const message = fromLibrary(schema, name, textFormat.fromText(type, text) as unknown as Record<string, unknown>);
    const positions = new Map<string, TextPosition>();
    for (const [path, offset] of places) positions.set(path, lines.at(offset));
    return {
      ok: true,
      message: message as TextMessageOf<S, N>,
      positions: new TextPositions(positions),
      notices: notices.map(placed),
    };
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

function decodeText(source: Uint8Array | string): DecodedText {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  const refused = (kind: TextProblem['kind'], message: string, before = ''): DecodedText => {
    const line = before.split('\n').length;
    const column = before.length - (before.lastIndexOf('\n') + 1) + 1;
    return { text: '', isDamaged: false, problem: { kind, message, path: '', line, column } };
  };
  if (size > MAX_TEXT_BYTES) return refused('limit', `The text has more than ${MAX_TEXT_BYTES / 1024 / 1024} MiB`);
  let text: string;
  let isDamaged = false;
  if (typeof source === 'string') text = source;
  else {
    const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    const [first, second] = bytes;
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
      return refused('encoding', 'The text is UTF-16: save it as UTF-8');
    }
    text = bytes.toString('utf8');
    isDamaged = !isUtf8(bytes);
  }
  if (text.startsWith('\ufeff')) return refused('encoding', 'The text begins with a byte order mark');
  const nul = text.indexOf('\0');
  if (nul >= 0) return refused('encoding', 'The text has a NUL character here', text.slice(0, nul));
  return { text, isDamaged };
}
