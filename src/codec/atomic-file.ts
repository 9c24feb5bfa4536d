import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServeOptError } from '../errors.js';
import { CHUNK_BYTES } from '../tensor/tensor.js';
import { isSpan, type Rope } from './message-writer.js';

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes go out; `doneBytes` counts up to `totalBytes`. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Receives bytes in order. The buffer is reused after the call returns. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** How much is written between two chances for signals and timers to run, in bytes. */
const TURN_BYTES = 32 * 1024 * 1024;

/** Streams a rope: never more than a chunk in memory beyond what a part computes for itself. */
export async function streamRope(rope: Rope, sink: Sink, options: WriteOptions = {}): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(CHUNK_BYTES, rope.sizeBytes)));
  let used = 0;
  let done = 0;
  let turn = 0;
  const send = async (bytes: Uint8Array): Promise<void> => {
    const wait = sink(bytes);
    if (wait) await wait;
    done += bytes.byteLength;
    turn += bytes.byteLength;
    if (turn < TURN_BYTES) return;
    turn = 0;
    options.onProgress?.(done, rope.sizeBytes);
    await nextTurn();
    if (options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted while writing');
  };
  const flush = async (): Promise<void> => {
    if (used > 0) await send(buffer.subarray(0, used));
    used = 0;
  };
  const put = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.byteLength > buffer.byteLength - used) await flush();
    if (bytes.byteLength >= buffer.byteLength) {
      await send(bytes);
      return;
    }
    buffer.set(bytes, used);
    used += bytes.byteLength;
  };
  for (const part of rope.parts) {
    if (part instanceof Uint8Array) await put(part);
    else if (isSpan(part)) {
      for (let at = part.start; at < part.end; ) {
        if (used === buffer.byteLength) await flush();
        const count = Math.min(buffer.byteLength - used, part.end - at);
        part.source.readInto(buffer.subarray(used, used + count), at);
        used += count;
        at += count;
      }
    } else {
      let given = 0;
      for (const piece of part.chunks()) {
        given += piece.byteLength;
        await put(piece);
      }
      if (given !== part.byteLength)
        throw new ServeOptError('SO9001', `a tensor gave ${given} bytes where it promised ${part.byteLength}`);
    }
  }
  await flush();
  options.onProgress?.(done, rope.sizeBytes);
}

function outputError(path: string, cause: unknown): ServeOptError {
  if (cause instanceof ServeOptError) return cause;
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ServeOptError('SO6002', `There is no room for "${path}": ${code}`, { location: { file: path }, cause });
  }
  const why =
    code === 'ENOENT'
      ? 'its folder does not exist'
      : code === 'EACCES' || code === 'EPERM'
        ? 'permission denied'
        : code === 'EROFS'
          ? 'the file system is read-only'
          : code === 'ENOTDIR'
            ? 'a part of the path is not a folder'
            : String(code ?? cause);
  return new ServeOptError('SO6001', `Cannot write "${path}": ${why}`, { location: { file: path }, cause });
}

/** Refuses a target that must not be replaced. `inputs` are files being read, which are never touched. */
export function checkTarget(path: string, force: boolean, inputs: readonly string[]): void {
  let target: ReturnType<typeof lstatSync>;
  try {
    target = lstatSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw outputError(path, cause);
  }
  for (const input of inputs) {
    const own = statSync(input, { throwIfNoEntry: false });
    const seen = statSync(path, { throwIfNoEntry: false });
    if (own && seen && own.ino === seen.ino && own.dev === seen.dev) {
      throw new ServeOptError('SO1004', `The output "${path}" is the input itself`, { location: { file: path } });
    }
  }
  if (!target.isFile() && !target.isSymbolicLink()) {
    const kind = target.isDirectory() ? 'a folder' : 'not a regular file';
    throw new ServeOptError('SO6001', `Cannot write "${path}": it is ${kind}`, { location: { file: path } });
  }
  if (!force) throw new ServeOptError('SO1005', `The output "${path}" exists already`, { location: { file: path } });
}

/** Refuses to start writing what cannot fit, as far as the file system tells. */
function checkSpace(path: string, neededBytes: number): void {
  let freeBytes: number;
  try {
    const stat = statfsSync(dirname(resolve(path)));
    freeBytes = stat.bavail * stat.bsize;
  } catch {
    return; // Not every file system answers; the write itself will tell.
  }
  if (freeBytes < neededBytes) {
    throw new ServeOptError(
      'SO6002',
      `There is no room for "${path}": it needs ${neededBytes} bytes, ${freeBytes} are free`,
      {
        location: { file: path },
      },
    );
  }
}

/**
 * A file on its way to its final name: written under a temporary name in the same folder, synced, then renamed.
 * Until `commit` nothing is seen under the final name; `discard` leaves no trace.
 */
export class PendingFile {
  readonly path: string;
  readonly temporaryPath: string;
  #fd: number | undefined;
  #settled = false;

  private constructor(path: string, temporaryPath: string, fd: number) {
    this.path = path;
    this.temporaryPath = temporaryPath;
    this.#fd = fd;
  }

  /** @throws SO6001, SO6002 */
  static create(path: string, sizeBytes: number): PendingFile {
    checkSpace(path, sizeBytes);
    const temporaryPath = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      const fd = openSync(temporaryPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
      return new PendingFile(path, temporaryPath, fd);
    } catch (cause) {
      throw outputError(path, cause);
    }
  }

  /** Writes a rope and syncs it to the disk. Discards itself on failure. */
  async write(rope: Rope, options: WriteOptions = {}): Promise<void> {
    try {
      await streamRope(rope, (bytes) => this.#writeAll(bytes), options);
      const fd = this.#fd as number;
      fsyncSync(fd);
      closeSync(fd);
      this.#fd = undefined;
    } catch (cause) {
      this.discard();
      throw outputError(this.path, cause);
    }
  }

  #writeAll(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.byteLength) done += writeSync(this.#fd as number, bytes, done);
  }

  /** Gives the file its final name. */
  commit(): void {
    try {
      renameSync(this.temporaryPath, this.path);
      this.#settled = true;
    } catch (cause) {
      this.discard();
      throw outputError(this.path, cause);
    }
  }

  /** Removes what was written, unless committed. Safe to call again. */
  discard(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#settled) return;
    this.#settled = true;
    try {
      unlinkSync(this.temporaryPath);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw outputError(this.temporaryPath, cause);
    }
  }
}

/** Makes the renames in a folder durable. Systems that cannot sync a folder are left alone. */
export function syncFolder(path: string): void {
  let fd: number;
  try {
    fd = openSync(dirname(resolve(path)), constants.O_RDONLY);
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch {
    // Some network file systems refuse; the files themselves are synced.
  } finally {
    closeSync(fd);
  }
}
