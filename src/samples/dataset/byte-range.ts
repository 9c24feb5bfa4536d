import { crc32, inflateRawSync, constants as zlibConstants } from 'node:zlib';
import { fileError, openFileSource } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';

/** A run of bytes that is read by range: a file, a part of a file, or a compressed member of an archive. */
export interface ByteRange {
  /** How messages call it, for example `calib.npz: input`. */
  readonly label: string;
  readonly byteLength: number;
  /** Bytes `start..end` in a buffer of the caller's own. */
  read(start: number, end: number): Uint8Array;
  /** The first bytes, at most `length` of them, got without reading or inflating the rest. Never write to them. */
  prefix(length: number): Uint8Array;
  /** The bytes are kept in memory once read. */
  readonly inMemory: boolean;
}

/**
 * A part of a file, the whole file by default. The file is opened for each read, so that a folder of many thousand
 * samples does not run out of file descriptors.
 * @throws SO2001, SO2002 when the file is missing or no regular file; SO2008 on reading when its size changed.
 */
export function fileRange(path: string, label: string, start = 0, byteLength?: number): ByteRange {
  const opened = openFileSource(path, label);
  const sizeBytes = opened.sizeBytes;
  opened.close();
  const read = (from: number, to: number): Uint8Array => {
    const source = openFileSource(path, label);
    try {
      if (source.sizeBytes !== sizeBytes) throw new ServeOptError('SO2008', `"${label}" changed while it was read`);
      const target = new Uint8Array(to - from);
      source.readInto(target, start + from);
      return target;
    } catch (cause) {
      throw cause instanceof ServeOptError ? cause : fileError(path, cause);
    } finally {
      source.close();
    }
  };
  const length = byteLength ?? sizeBytes - start;
  return { label, byteLength: length, read, prefix: (n) => read(0, Math.min(n, length)), inMemory: false };
}

/**
 * The bytes that a raw DEFLATE stream holds, inflated once, on first use.
 * @param byteLength how many bytes the archive says there are: more are never produced, fewer are an error.
 * @throws SO4001 when the stream is damaged, or its length or CRC-32 differ from what the archive says.
 */
export function inflatedRange(compressed: ByteRange, byteLength: number, checksum: number): ByteRange {
  const { label } = compressed;
  const damaged = (why: string, cause?: unknown) =>
    new ServeOptError('SO4001', `"${label}" is damaged`, { why, cause, hint: 'download or write the file again' });
  let whole: Uint8Array | undefined;
  const inflate = (): Uint8Array => {
    let bytes: Uint8Array;
    try {
      bytes = inflateRawSync(compressed.read(0, compressed.byteLength), { maxOutputLength: Math.max(byteLength, 1) });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw damaged(`it inflates to more than the ${byteLength} bytes that the archive declares`, cause);
      throw cause instanceof ServeOptError ? cause : damaged('its compressed bytes cannot be inflated', cause);
    }
    if (bytes.byteLength !== byteLength)
      throw damaged(`it inflates to ${bytes.byteLength} bytes, the archive declares ${byteLength}`);
    if (crc32(bytes) !== checksum) throw damaged('its checksum (CRC-32) does not match');
    return bytes;
  };
  return {
    label,
    byteLength,
    inMemory: true,
    read(start, end) {
      whole ??= inflate();
      // A copy, because the caller may swap bytes in place; `slice` of a Buffer would be a view.
      return new Uint8Array(whole.subarray(start, end));
    },
    prefix(length) {
      if (whole) return whole.subarray(0, length);
      // DEFLATE grows at most 1032 times, so a few KiB of input bound what a hostile stream can make of a prefix.
      for (let take = 4096; ; take *= 4) {
        const part = compressed.prefix(take);
        let bytes: Uint8Array;
        try {
          bytes = inflateRawSync(part, { finishFlush: zlibConstants.Z_SYNC_FLUSH });
        } catch (cause) {
          throw damaged('its compressed bytes cannot be inflated', cause);
        }
        if (bytes.byteLength >= Math.min(length, byteLength) || part.byteLength < take)
          return bytes.subarray(0, length);
      }
    },
  };
}
