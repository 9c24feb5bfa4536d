import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { fileError } from '../codec/byte-source.js';
import { bug, ServeOptError } from '../errors.js';
import { failureOf, type HashFailure, type HashReply, type HashRequest } from './hash-reply.js';

/** Files below this are hashed in place: starting a thread would take longer. */
const THREAD_FROM_BYTES = 32 * 1024 * 1024;

/** SHA-256 of a file that is being written, or of a large one beside other work, in a thread of its own. */
export class FileHash {
  readonly #path: string;
  #worker: Worker | undefined;
  #failure: ServeOptError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Tells that the file is complete up to here. */
  advance(doneBytes: number): void {
    if (this.#worker === undefined && doneBytes < THREAD_FROM_BYTES) return;
    this.#request({ untilBytes: doneBytes, last: false });
  }

  /** The hash of the first `sizeBytes` bytes, in lower-case hexadecimal. @throws SO2002 when the file cannot be read */
  async digest(sizeBytes: number): Promise<string> {
    if (this.#worker === undefined && sizeBytes < THREAD_FROM_BYTES) return hashNow(this.#path, sizeBytes);
    this.#request({ untilBytes: sizeBytes, last: true });
    const worker = this.#worker;
    if (!worker) throw bug('the hash thread did not start');
    // From now on somebody waits for it.
    worker.ref();
    try {
      return await new Promise<string>((resolve, reject) => {
        if (this.#failure) reject(this.#failure);
        worker.once('message', ({ digest, failure }: HashReply) => {
          if (digest === undefined) reject(hashError(this.#path, failure));
          else resolve(digest);
        });
        worker.once('error', (error) => reject(fileError(this.#path, error)));
        worker.once('exit', () => reject(bug('the hash thread ended without a result')));
      });
    } finally {
      await this.close();
    }
  }

  /** Ends the thread; safe to call again. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #request(message: HashRequest): void {
    if (!this.#worker) {
      const entry = createRequire(import.meta.url).resolve('#hash-worker');
      this.#worker = new Worker(entry, { workerData: { path: this.#path } });
      this.#worker.unref();
      this.#worker.on('error', (cause) => {
        this.#failure = fileError(this.#path, cause);
      });
    }
    this.#worker.postMessage(message);
  }
}

/** Size of a file in bytes. @throws SO2008 for one that was removed, SO2002 */
export function hashedSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw hashError(path, failureOf(cause));
  }
}

/** What was opened before and is not there, or not whole, any more was changed. */
function hashError(path: string, failure: HashFailure | undefined): ServeOptError {
  if (failure?.kind === 'shorter') return new ServeOptError('SO2008', `"${path}" became shorter while it was read`);
  if (failure?.code === 'ENOENT') return new ServeOptError('SO2008', `"${path}" was removed while it was read`);
  return fileError(path, { code: failure?.code ?? 'no reason given' });
}

function hashNow(path: string, sizeBytes: number): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.max(1, Math.min(sizeBytes, 1024 * 1024)));
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw hashError(path, failureOf(cause));
  }
  try {
    for (let at = 0; at < sizeBytes; ) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.byteLength, sizeBytes - at), at);
      if (count === 0) throw hashError(path, { kind: 'shorter' });
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
