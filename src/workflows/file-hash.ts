import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { fileError } from '../codec/byte-source.js';
import { bug, ServeOptError } from '../errors.js';
import type { HashReply, HashRequest } from './hash-worker.js';

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
    const reply = await new Promise<HashReply>((resolve) => {
      if (this.#failure) resolve({ error: this.#failure.message });
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ error: error.message }));
    });
    await this.close();
    if (reply.digest === undefined) throw new ServeOptError('SO2002', `Cannot read "${this.#path}": ${reply.error}`);
    return reply.digest;
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

function hashNow(path: string, sizeBytes: number): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.max(1, Math.min(sizeBytes, 1024 * 1024)));
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw fileError(path, cause);
  }
  try {
    for (let at = 0; at < sizeBytes; ) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.byteLength, sizeBytes - at), at);
      if (count === 0) throw new ServeOptError('SO2008', `"${path}" became shorter while it was read`);
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
