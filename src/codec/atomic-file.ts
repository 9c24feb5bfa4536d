import { closeSync, constants, fsyncSync, openSync, renameSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServeOptError } from '../errors.js';
import { CHUNK_BYTES, uninitializedBytes } from '../tensor/tensor.js';
import { backgroundFlush } from './background-flush.js';
import { isSpan, type Rope } from './message-writer.js';
import { type PlacedFile, placeNew, takeBack } from './place-file.js';
import { replacePair } from './replace-pair.js';
import { syncPath } from './sync-path.js';
import { outputError } from './system-error.js';
import { makeTemporaryFolder, removeTemporaryFolder, sweepTemporaryFolders } from './temporary-folder.js';
import { writeFully } from './write-fully.js';

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes go out; `doneBytes` counts up to `totalBytes`. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Called as a file grows, with its path: for readers that follow the writing. */
  readonly onFileBytes?: ((path: string, doneBytes: number) => void) | undefined;
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes go out. */
  readonly onBytes?: ((doneBytes: number) => void) | undefined;
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
        throw new ServeOptError('SO9001', `a tensor has ${given} bytes instead of ${part.byteLength}`);
    }
  }
  await flush();
  options.onProgress?.(done, rope.sizeBytes);
}

/** Refuses to start writing what cannot fit, as far as the file system tells. @throws SO6001 */
export function checkSpace(path: string, folder: string, neededBytes: number): void {
  let freeBytes: number;
  try {
    const stat = statfsSync(folder);
    freeBytes = stat.bavail * stat.bsize;
  } catch {
    return; // Not every file system answers; the write itself will tell.
  }
  if (freeBytes < neededBytes) {
    throw new ServeOptError('SO6001', `Cannot write "${path}": the disk is full`, {
      why: `it needs ${neededBytes} bytes, ${freeBytes} are free`,
      hint: 'free some space, or write to another disk',
      location: { file: path },
    });
  }
}

export interface CommitOptions {
  /** Whether files that stand under the final names may be replaced. Default false. */
  readonly replace?: boolean;
  readonly places?: ReadonlyMap<string, string>;
}

/** Names of the staged files of a pair, and the second name of its data: see `StagedPair`. */
export interface PairNames {
  readonly file: string;
  readonly data: string;
  readonly bridge: string;
  readonly bridgeName: string;
}

/**
 * Files on their way to their final names: written into a hidden folder beside the target under those names, synced,
 * then renamed. Until `commit` nothing is seen at the target; `discard` leaves no trace. A killed process leaves the
 * hidden folder, `.<name>.<owner>.tmp`, and never part of an output; the next run that writes beside it removes it.
 */
export class StagedFiles {
  /** Path of the first file's final place. */
  readonly path: string;
  /** The same as the user gave it; for messages. */
  readonly label: string;
  readonly folder: string;
  readonly #names: string[] = [];
  #settled = false;

  private constructor(path: string, folder: string, label: string) {
    this.path = path;
    this.folder = folder;
    this.label = label;
  }

  /** @throws SO6001 when the folder of `path` cannot be written to */
  static create(path: string, label: string = path): StagedFiles {
    sweepTemporaryFolders(dirname(path), '.');
    try {
      return new StagedFiles(path, makeTemporaryFolder(dirname(path), `.${shortStem(basename(path))}`), label);
    } catch (cause) {
      throw outputError(label, cause);
    }
  }

  /** Where a file of this name stands until the commit. */
  stagedPath(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a rope as file `name` and syncs it to the disk. Discards everything on failure. @throws SO6001 */
  async write(name: string, rope: Rope, options: WriteOptions = {}): Promise<void> {
    await this.#writing(name, rope.sizeBytes, async (put, flush) => {
      await streamRope(rope, put, {
        signal: options.signal,
        onProgress: (done, total) => {
          flush();
          options.onFileBytes?.(this.stagedPath(name), done);
          options.onProgress?.(done, total);
        },
      });
    });
  }

  /**
   * Writes what a stream gives as file `name` and syncs it to the disk. Discards everything on failure.
   * @param neededBytes what it will take about, to refuse a disk without room early
   * @throws SO6001
   */
  async writeStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    neededBytes: number,
    options: StreamOptions = {},
  ): Promise<void> {
    await this.#writing(name, neededBytes, async (put, flush) => {
      let done = 0;
      let flushed = 0;
      for await (const chunk of chunks) {
        if (options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted while writing');
        put(chunk);
        done += chunk.byteLength;
        if (done - flushed < TURN_BYTES) continue;
        flushed = done;
        flush();
        options.onBytes?.(done);
      }
      options.onBytes?.(done);
    });
  }

  async #writing(
    name: string,
    neededBytes: number,
    work: (put: (bytes: Uint8Array) => void, flush: () => void) => Promise<void>,
  ): Promise<void> {
    const path = this.stagedPath(name);
    let fd: number | undefined;
    try {
      checkSpace(this.label, this.folder, neededBytes);
      this.#names.push(name);
      const target = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
      fd = target;
      const background = backgroundFlush(target);
      let flushed: Error | undefined;
      try {
        await work((bytes) => writeFully(target, bytes), background.start);
      } finally {
        flushed = await background.end();
      }
      if (flushed) throw flushed;
      fsyncSync(target);
      // Closing tells of an error too, and closes all the same.
      fd = undefined;
      closeSync(target);
    } catch (cause) {
      if (fd !== undefined) closeSync(fd);
      this.discard();
      throw outputError(this.label, cause);
    }
  }

  /** Takes a file that another program wrote to `stagedPath(name)`, and syncs it. Discards everything on failure. @throws SO6001 */
  adopt(name: string): void {
    try {
      const fd = openSync(this.stagedPath(name), constants.O_RDWR);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      this.#names.push(name);
    } catch (cause) {
      this.discard();
      throw outputError(this.label, cause);
    }
  }

  /**
   * Gives the files their final names, in the order they were written: the one that refers to others comes last. Fails
   * where something stands there already, unless it may be replaced; then nothing has appeared.
   * @param places final paths of files whose names are not the last part of `path` or beside it
   * @throws SO1005, SO6001
   */
  commit({ replace = false, places }: CommitOptions = {}): void {
    this.#settle(() => {
      const placed: PlacedFile[] = [];
      try {
        for (const name of this.#names) {
          const target = places?.get(name) ?? join(dirname(this.path), name);
          if (replace) renameSync(this.stagedPath(name), target);
          else placed.push(placeNew(this.stagedPath(name), target, name === this.#names.at(-1) ? this.label : target));
        }
      } catch (cause) {
        for (const each of placed.reverse()) takeBack(each);
        throw cause;
      }
    });
  }

  /** Replaces a file and its data file, both of which may be there: see `replacePair`. @throws SO6001 */
  commitPair(pair: PairNames, dataPath: string): void {
    const { file, data, bridge, bridgeName } = pair;
    const staged = {
      file: this.stagedPath(file),
      data: this.stagedPath(data),
      bridge: this.stagedPath(bridge),
      bridgeName,
    };
    this.#settle(() => replacePair(staged, this.path, dataPath));
  }

  #settle(place: () => void): void {
    try {
      place();
    } catch (cause) {
      this.discard();
      throw outputError(this.label, cause);
    }
    this.#settled = true;
    try {
      removeTemporaryFolder(this.folder);
    } catch {
      // The output is in place and whole; the empty folder is swept later.
    }
    syncPath(dirname(this.path));
  }

  /** Removes what was staged, unless committed. Safe to call again. */
  discard(): void {
    if (this.#settled) return;
    this.#settled = true;
    removeTemporaryFolder(this.folder);
  }
}

/** The names of files end at 255 bytes, and what a folder's name ends with takes up to 70. */
function shortStem(name: string): string {
  let stem = name;
  while (Buffer.byteLength(stem) > 180) stem = stem.slice(0, -1);
  return stem;
}
