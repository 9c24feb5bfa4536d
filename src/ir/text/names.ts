import { decodeUtf8, encodeUtf8 } from '../../codec/utf8.js';

/** How names appear in ONNX text: plain identifiers as they are, everything else quoted, with nothing that a terminal or log could act on. */

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Words that begin a type, so that a value called `float` must be quoted; the printed text must parse under any ONNX parser. */
const TYPE_WORD =
  /^(seq|map|optional|sparse_tensor|type|opaque|u?int\d+|b?float\d*(e\d+m\d+\w*)?|complex\d+|double|bool|string)$/;

/** A subgraph name follows `=`, where one of these would be a number. */
const NUMBER_WORD = /^(inf|infinity|nan)$/i;

/** Characters a terminal, a log viewer or a reader can be fooled with: controls, line separators, direction marks, byte order mark. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/;

/** True for a word the text can hold without quotes where nothing but a name may stand. */
export function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name);
}

/** An operator, attribute or symbol: plain when it is an identifier, else quoted. */
export function formatIdentifier(name: string): string {
  return isIdentifier(name) ? name : quote(name);
}

/** The name of a value, node, graph or function: quoted also when it could be taken for a type or number. */
export function formatName(name: string): string {
  return isIdentifier(name) && !TYPE_WORD.test(name) && !NUMBER_WORD.test(name) ? name : quote(name);
}

/** A string literal. `\` and `"` get a backslash (as onnx.printer does); unsafe characters become `\xHH`, one for each UTF-8 byte. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (UNSAFE.test(character) && character.length === 1) out += hexEscapes(encodeUtf8(character));
    else out += character;
  }
  return `${out}"`;
}

/** A string literal over bytes that need not be UTF-8. */
export function quoteBytes(bytes: Uint8Array): string {
  return quote(decodeUtf8(bytes));
}

/** A string literal with every byte written `\xHH`. */
export function quoteRaw(bytes: Uint8Array): string {
  return `"${hexEscapes(bytes)}"`;
}

function hexEscapes(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += `\\x${byte.toString(16).padStart(2, '0')}`;
  return out;
}

/** The pieces one after another. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
