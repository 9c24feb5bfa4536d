import { ServeOptError } from '../../errors.js';
import type { ByteRange } from './byte-range.js';

/** What the header of a .npy file says (numpy.lib.format, versions 1.0, 2.0 and 3.0). */
export interface NpyHeader {
  /** Element type in numpy's array protocol, for example `<f4`. */
  readonly descr: string;
  /** True when the first axis varies fastest. */
  readonly fortranOrder: boolean;
  readonly dims: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
}

/** A header longer than this is refused; numpy itself writes headers of 128 bytes for arrays of up to 32 axes. */
export const MAXIMUM_NPY_HEADER_BYTES = 64 * 1024;
/** numpy's own limit on axes since 2.0. */
const MAXIMUM_RANK = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** True when the bytes begin as a .npy file does. */
export function looksLikeNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads and checks the header of a .npy file. The header is a Python dictionary in text form; it is parsed by a small
 * strict reader, never evaluated.
 * @throws SO4001 for a damaged or structured array.
 */
export function readNpyHeader(range: ByteRange): NpyHeader {
  const fail = (why: string) => new ServeOptError('SO4001', `"${range.label}" is not a readable .npy array`, { why });
  const start = range.prefix(12);
  if (!looksLikeNpy(start)) throw fail('it does not start with the .npy signature');
  if (start.byteLength < 12) throw fail('it is cut off inside its header');
  const version = start[6] as number;
  if (version < 1 || version > 3) throw fail(`its format version is ${version}; 1 to 3 are supported`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const textOffset = version === 1 ? 10 : 12;
  const textBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textBytes > MAXIMUM_NPY_HEADER_BYTES)
    throw fail(`its header declares ${textBytes} bytes; the limit is ${MAXIMUM_NPY_HEADER_BYTES}`);
  const dataOffset = textOffset + textBytes;
  const head = range.prefix(dataOffset);
  if (head.byteLength < dataOffset) throw fail('it is cut off inside its header');
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(head.subarray(textOffset));
  return { ...parseHeaderText(text, fail), dataOffset };
}

/** Tokens of the dictionary: punctuation, a quoted string without escapes, a word, or a number (Python 2 wrote `3L`). */
const TOKEN = /\s*(?:([{}()[\]:,])|'([^'\\\n]*)'|"([^"\\\n]*)"|(True|False)|(\d{1,16})L?)/y;

type Token = { readonly kind: 'mark' | 'string' | 'word' | 'number'; readonly text: string };

function tokens(text: string, fail: (why: string) => ServeOptError): Token[] {
  const list: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw fail(`its header has invalid text at character ${at}`);
    at = TOKEN.lastIndex;
    if (match[1] !== undefined) list.push({ kind: 'mark', text: match[1] });
    else if (match[4] !== undefined) list.push({ kind: 'word', text: match[4] });
    else if (match[5] !== undefined) list.push({ kind: 'number', text: match[5] });
    else list.push({ kind: 'string', text: match[2] ?? match[3] ?? '' });
  }
  return list;
}

function parseHeaderText(text: string, fail: (why: string) => ServeOptError): Omit<NpyHeader, 'dataOffset'> {
  const list = tokens(text, fail);
  let at = 0;
  const next = (): Token => {
    const token = list[at++];
    if (!token) throw fail('its header is cut off');
    return token;
  };
  const mark = (wanted: string) => {
    const token = next();
    if (token.kind !== 'mark' || token.text !== wanted)
      throw fail(`its header has "${token.text}" instead of "${wanted}"`);
  };
  const peek = (wanted: string) => list[at]?.kind === 'mark' && list[at]?.text === wanted;

  const shape = (): number[] => {
    mark('(');
    const dims: number[] = [];
    while (!peek(')')) {
      const token = next();
      if (token.kind !== 'number' || !Number.isSafeInteger(Number(token.text)))
        throw fail(`its shape has "${token.text}"`);
      dims.push(Number(token.text));
      if (dims.length > MAXIMUM_RANK) throw fail(`its shape has more than ${MAXIMUM_RANK} axes`);
      if (!peek(')')) mark(',');
    }
    mark(')');
    return dims;
  };

  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let dims: number[] | undefined;
  mark('{');
  while (!peek('}')) {
    const key = next();
    if (key.kind !== 'string') throw fail(`its header has "${key.text}" instead of a key`);
    mark(':');
    if (key.text === 'descr' && descr === undefined) {
      if (peek('[') || peek('(')) throw fail('it is a structured array; only plain arrays are supported');
      const token = next();
      if (token.kind !== 'string') throw fail(`its element type is "${token.text}"`);
      descr = token.text;
    } else if (key.text === 'fortran_order' && fortranOrder === undefined) {
      const token = next();
      if (token.kind !== 'word') throw fail(`its fortran_order is "${token.text}"`);
      fortranOrder = token.text === 'True';
    } else if (key.text === 'shape' && dims === undefined) {
      dims = shape();
    } else throw fail(`its header has an unknown or repeated key "${key.text}"`);
    if (!peek('}')) mark(',');
  }
  mark('}');
  if (at !== list.length) throw fail('its header has text after its end');
  if (descr === undefined || fortranOrder === undefined || dims === undefined)
    throw fail('its header lacks descr, fortran_order or shape');
  return { descr, fortranOrder, dims };
}
