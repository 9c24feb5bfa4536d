import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { ServeOptError } from '../errors.js';
import { CHUNK_BYTES, type TensorBytes, uninitializedBytes } from '../tensor/tensor.js';
import { fileError } from './system-error.js';

export { fileError } from './system-error.js';

/** Random access to the bytes of a model or data file. */
export interface ByteSource {
  /** File name for messages (no folder), or `memory`. */
  readonly label: string;
  readonly path: string | undefined;
  readonly sizeBytes: number;
  /** Bytes `start..end` as a buffer of the caller's own, or a view of memory: never write to it. */
  read(start: number, end: number): Uint8Array;
  /** Fills `target` from `start`. */
  readInto(target: Uint8Array, start: number): void;
  /** @throws SO2008 when the file has changed since it was opened, or its path leads to another one or to none. */
  checkUnchanged(): void;
  close(): void;
}

/** Bytes `start..end` of a source. */
export interface Span {
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

/** Adds a span to a list; one that begins where the last ends makes that longer, so that a million small fields are one span. */
export function appendSpan(list: Span[], span: Span): void {
  const last = list.at(-1);
  if (last && last.source === span.source && last.end === span.start) {
    list[list.length - 1] = { source: last.source, start: last.start, end: span.end };
  } else {
    list.push(span);
  }
}

export function memorySource(bytes: Uint8Array, label = 'memory'): ByteSource {
  return {
    label,
    path: undefined,
    sizeBytes: bytes.byteLength,
    read: (start, end) => bytes.subarray(start, end),
    readInto: (target, start) => target.set(bytes.subarray(start, start + target.byteLength)),
    checkUnchanged: () => {},
    close: () => {},
  };
}

/**
 * Opens a regular file for reading. A FIFO or device is refused without blocking. `check` may refuse the opened
 * descriptor by throwing: what it saw is what will be read, whatever happens to the path meanwhile.
 */
export function openFileSource(
  path: string,
  label: string,
  extraFlags = 0,
  check: (fd: number) => void = () => {},
): ByteSource {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | extraFlags);
  } catch (cause) {
    throw fileError(path, cause);
  }
  try {
    const source = new FileSource(fd, path, label);
    check(fd);
    return source;
  } catch (error) {
    closeSync(fd);
    throw fileError(path, error);
  }
}

class FileSource implements ByteSource {
  readonly label: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly #opened: BigIntStats;
  #fd: number | undefined;

  constructor(fd: number, path: string, label: string) {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) {
      const kind = stat.isDirectory() ? 'a folder' : 'not a regular file';
      throw new ServeOptError('SO2002', `Cannot read "${path}": it is ${kind}`, { location: { file: path } });
    }
    this.#fd = fd;
    this.path = path;
    this.label = label;
    this.sizeBytes = Number(stat.size);
    this.#opened = stat;
  }

  read(start: number, end: number): Uint8Array {
    const target = uninitializedBytes(end - start);
    this.readInto(target, start);
    return target;
  }

  readInto(target: Uint8Array, start: number): void {
    if (this.#fd === undefined)
      throw new ServeOptError('SO2002', `"${this.label}" was closed before its tensors were read`);
    let done = 0;
    while (done < target.byteLength) {
      const count = Math.min(target.byteLength - done, 1 << 30);
      let got: number;
      try {
        got = readSync(this.#fd, target, done, count, start + done);
      } catch (cause) {
        throw fileError(this.path, cause);
      }
      if (got === 0) {
        throw new ServeOptError('SO2008', `"${this.label}" became shorter while it was read`, {
          location: { file: this.label, byteOffset: start + done },
        });
      }
      done += got;
    }
  }

  checkUnchanged(): void {
    if (this.#fd === undefined) return;
    const changed = (how: string): ServeOptError =>
      new ServeOptError('SO2008', `"${this.label}" ${how} while it was read`, { location: { file: this.label } });
    const now = fstatSync(this.#fd, { bigint: true });
    if (!isSameContent(now, this.#opened)) throw changed('changed');
    // ONNX Runtime and hashing open it anew by its path.
    let named: BigIntStats | undefined;
    try {
      named = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    } catch (cause) {
      throw fileError(this.path, cause);
    }
    if (named === undefined) throw changed('was removed');
    if (named.ino !== now.ino || named.dev !== now.dev) throw changed('was replaced');
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Not by the time of the last change of its entry, which a new hard link moves too. */
function isSameContent(a: BigIntStats, b: BigIntStats): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/** Tensor bytes that stay in the file until read. */
export class FileBytes implements TensorBytes {
  readonly span: Span;

  constructor(span: Span) {
    this.span = span;
  }

  get byteLength(): number {
    return this.span.end - this.span.start;
  }

  read(): Uint8Array {
    return this.span.source.read(this.span.start, this.span.end);
  }

  range(start: number, end: number): Uint8Array {
    return this.span.source.read(this.span.start + start, this.span.start + end);
  }

  readInto(target: Uint8Array, start: number): void {
    this.span.source.readInto(target, this.span.start + start);
  }

  *chunks(): Generator<Uint8Array> {
    const { source, start, end } = this.span;
    const buffer = uninitializedBytes(Math.min(CHUNK_BYTES, end - start));
    for (let at = start; at < end; at += buffer.byteLength) {
      const piece = buffer.subarray(0, Math.min(buffer.byteLength, end - at));
      source.readInto(piece, at);
      yield piece;
    }
  }
}
