import { basename } from 'node:path';
import { ServeOptError } from '../errors.js';
import { openFileSource } from './byte-source.js';

/**
 * The bytes of a small file that is read whole. A FIFO, a device or a folder is refused without waiting, whatever links
 * lead to it, and so is a file that is larger than `limitBytes` or that changes meanwhile: what is read is bounded.
 * @throws SO2001, SO2002 where it cannot be read, SO2104 beyond the limit, SO2008 when it changes while it is read
 */
export function readSmallFile(path: string, limitBytes: number): Uint8Array {
  const source = openFileSource(path, basename(path));
  try {
    if (source.sizeBytes > limitBytes) {
      throw new ServeOptError('SO2104', `"${path}" is too large: ${source.sizeBytes} bytes`, {
        why: `a file of its kind has at most ${limitBytes} bytes`,
        hint: 'check that the path names the right file',
        location: { file: path },
      });
    }
    const bytes = source.read(0, source.sizeBytes);
    source.checkUnchanged();
    return bytes;
  } finally {
    source.close();
  }
}

/** The same as text; a mark of byte order is left out. @throws as `readSmallFile`, SO2002 for bytes that are not UTF-8 */
export function readSmallTextFile(path: string, limitBytes: number): string {
  const bytes = readSmallFile(path, limitBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ServeOptError('SO2002', `Cannot read "${path}": it is not UTF-8 text`, {
      location: { file: path },
      cause,
    });
  }
}
