import { closeSync, openSync } from 'node:fs';
import { writeFully } from '../../codec/write-fully.js';

/** Most bytes of a log that are kept: its beginning, and as much of its end. */
const MOST_HEAD_BYTES = 32 * 1024 * 1024;
const MOST_TAIL_BYTES = 1024 * 1024;

/** Writes a log of any size: whole, or its beginning and its end. A disk that is full costs the log, not the run. */
export class LogFile {
  #fd: number | undefined;
  #written = 0;
  #left = 0;
  /** Of the most recent bytes, at most twice `MOST_TAIL_BYTES`. */
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #failure: unknown;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'w', 0o666);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Why the log is not whole, other than its size. */
  get failure(): unknown {
    return this.#failure;
  }

  write(bytes: Uint8Array): void {
    const room = MOST_HEAD_BYTES - this.#written;
    const head = bytes.subarray(0, Math.max(0, room));
    if (head.byteLength > 0) this.#put(head);
    this.#written += head.byteLength;
    const rest = bytes.subarray(head.byteLength);
    if (rest.byteLength === 0) return;
    this.#left += rest.byteLength;
    this.#tail.push(rest.slice());
    this.#tailBytes += rest.byteLength;
    while (this.#tailBytes - (this.#tail[0]?.byteLength ?? 0) >= MOST_TAIL_BYTES) {
      this.#tailBytes -= this.#tail.shift()?.byteLength ?? 0;
    }
  }

  close(): void {
    const omitted = this.#left - this.#tailBytes;
    if (omitted > 0) this.#put(new TextEncoder().encode(`\n… ${omitted} bytes left out …\n`));
    for (const bytes of this.#tail) this.#put(bytes);
    this.#tail = [];
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #put(bytes: Uint8Array): void {
    if (this.#fd === undefined) return;
    try {
      writeFully(this.#fd, bytes);
    } catch (error) {
      this.#failure ??= error;
      closeSync(this.#fd);
      this.#fd = undefined;
    }
  }
}
