import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { fileRange } from './byte-range.js';

/** A line longer than this is refused: a whole data set on one line is no JSON Lines file. */
export const MAXIMUM_LINE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/**
 * The lines of a UTF-8 file with their 1-based numbers, blank ones left out, read piece by piece.
 * @throws SO4001 for a line beyond the limit or bytes that are not UTF-8.
 */
export function* textLines(path: string): Generator<{ readonly text: string; readonly number: number }> {
  const file = basename(path);
  const range = fileRange(path, file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes: Uint8Array, number: number): string => {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new ServeOptError('SO4001', `"${file}", line ${number}, is not UTF-8 text`, { cause });
    }
  };
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let number = 0;
  const line = (last: Uint8Array) => {
    number++;
    const bytes = held.length === 0 ? last : Buffer.concat([...held, last]);
    held = [];
    heldBytes = 0;
    return decode(bytes, number);
  };
  for (let at = 0; at < range.byteLength; at += PIECE_BYTES) {
    const piece = range.read(at, Math.min(at + PIECE_BYTES, range.byteLength));
    let from = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      const text = line(piece.subarray(from, end));
      from = end + 1;
      if (text.trim() !== '') yield { text, number };
    }
    held.push(piece.subarray(from));
    heldBytes += piece.byteLength - from;
    if (heldBytes > MAXIMUM_LINE_BYTES)
      throw new ServeOptError('SO4001', `"${file}", line ${number + 1}, is longer than ${MAXIMUM_LINE_BYTES} bytes`, {
        hint: 'write one sample per line, or use .npz',
      });
  }
  const text = line(new Uint8Array(0));
  if (text.trim() !== '') yield { text, number };
}
