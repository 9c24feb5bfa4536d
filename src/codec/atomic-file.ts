import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServeOptError } from '../errors.js';
import { CHUNK_BYTES, uninitializedBytes } from '../tensor/tensor.js';
import { isSpan, type Rope } from './message-writer.js';
import { makeTemporaryFolder, removeTemporaryFolder, sweepTemporaryFolders } from './temporary-folder.js';

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes go out; `doneBytes` counts up to `totalBytes`. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Called as a file grows, with its path: for readers that follow the writing. */
  readonly onFileBytes?: ((path: string, doneBytes: number) => void) | undefined;
}

/** Receives bytes in order. The buffer is reused after the call returns. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** How much is written between two chances for signals and timers to run, in bytes. */
const TURN_BYTES = 32 * 1024 * 1024;

/** Streams a rope: never more than a chunk in memory beyond what a part computes for itself. */
export async function streamRope(rope: Rope, sink: Sink, options: WriteOptions = {}): Promise<void> {
  const buffer = uninitializedBytes(Math.max(1, Math.min(CHUNK_BYTES, rope.sizeBytes)));
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

/**
 * Refuses a target that must not be replaced, and one whose folder cannot be written to: before work is done for it.
 * `inputs` are files being read, which are never touched.
 * @throws SO1004, SO1005, SO6001
 */
export function checkTarget(path: string, force: boolean, inputs: readonly string[]): void {
  let target: ReturnType<typeof lstatSync>;
  try {
    target = lstatSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw outputError(path, cause);
    checkFolder(path);
    return;
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

function checkFolder(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (cause) {
    throw outputError(path, cause);
  }
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
 * Files on their way to their final names: written into a hidden folder beside the target under those names, synced,
 * then renamed. Until `commit` nothing is seen at the target; `discard` leaves no trace. A killed process leaves the
 * hidden folder, `.<name>.<owner>.tmp`, and never part of an output; the next run that writes beside it removes it.
 */
export class StagedFiles {
  /** Path of the first file's final place. */
  readonly path: string;
  readonly folder: string;
  readonly #names: string[] = [];
  #settled = false;

  private constructor(path: string, folder: string) {
    this.path = path;
    this.folder = folder;
  }

  /** @throws SO6001 when the folder of `path` cannot be written to */
  static create(path: string): StagedFiles {
    sweepTemporaryFolders(dirname(path), '.');
    try {
      return new StagedFiles(path, makeTemporaryFolder(dirname(path), `.${shortStem(basename(path))}`));
    } catch (cause) {
      throw outputError(path, cause);
    }
  }

  /** Where a file of this name stands until the commit. */
  stagedPath(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a rope as file `name` and syncs it to the disk. Discards everything on failure. @throws SO6001, SO6002 */
  async write(name: string, rope: Rope, options: WriteOptions = {}): Promise<void> {
    const path = this.stagedPath(name);
    let fd: number | undefined;
    try {
      checkSpace(this.path, rope.sizeBytes);
      this.#names.push(name);
      const target = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
      fd = target;
      const flush = backgroundFlush(target);
      try {
        await streamRope(rope, (bytes) => writeAll(target, bytes), {
          signal: options.signal,
          onProgress: (done, total) => {
            flush.start();
            options.onFileBytes?.(path, done);
            options.onProgress?.(done, total);
          },
        });
      } finally {
        await flush.end();
      }
      fsyncSync(fd);
      closeSync(fd);
      fd = undefined;
    } catch (cause) {
      if (fd !== undefined) closeSync(fd);
      this.discard();
      throw outputError(this.path, cause);
    }
  }

  /** Gives the files their final names, in the order they were written. */
  commit(): void {
    try {
      for (const name of this.#names) renameSync(this.stagedPath(name), join(dirname(this.path), name));
      this.#settled = true;
      removeTemporaryFolder(this.folder);
      syncFolder(this.path);
    } catch (cause) {
      this.discard();
      throw outputError(this.path, cause);
    }
  }

  /** Removes what was staged, unless committed. Safe to call again. */
  discard(): void {
    if (this.#settled) return;
    this.#settled = true;
    removeTemporaryFolder(this.folder);
  }
}

/**
 * Lets the disk take what has been written so far while more is made: syncing at the end alone would wait for all of it.
 * Errors are left to the final sync, which reports them again.
 */
function backgroundFlush(fd: number): { start(): void; end(): Promise<void> } {
  let running: Promise<void> | undefined;
  return {
    start() {
      running ??= new Promise((resolve) => {
        fdatasync(fd, () => {
          running = undefined;
          resolve();
        });
      });
    },
    async end() {
      await running;
    },
  };
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.byteLength) done += writeSync(fd, bytes, done);
}

/** The names of files end at 255 bytes, and what a folder's name ends with takes up to 70. */
function shortStem(name: string): string {
  let stem = name;
  while (Buffer.byteLength(stem) > 180) stem = stem.slice(0, -1);
  return stem;
}

/** Makes the renames in a folder durable. Systems that cannot sync a folder are left alone. */
function syncFolder(path: string): void {
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
