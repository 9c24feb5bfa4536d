import { fstatSync, fsyncSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { OutputStream } from './output-stream.js';

/**
 * A standard stream whose every byte is accounted for. Node's own stream for files takes a short write for a whole one, so
 * that a disk that fills loses the end of an answer without a word; terminals, pipes and sockets it does check.
 */
export function openOutput(descriptor: number, own: OutputStream): OutputStream {
  return isatty(descriptor) || isPipe(descriptor) ? own : new OutputFile(descriptor);
}

function isPipe(descriptor: number): boolean {
  const stat = fstatSync(descriptor);
  return stat.isFIFO() || stat.isSocket();
}

/** Writes to a file or device at once, to the last byte. */
class OutputFile extends Writable {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    super({ decodeStrings: true });
    this.#descriptor = descriptor;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      for (let at = 0; at < chunk.byteLength; ) at += writeSync(this.#descriptor, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      // Some file systems tell of a full disk only when they have to have written.
      fsyncSync(this.#descriptor);
      done();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Devices have nothing to sync.
      done(code === 'EINVAL' || code === 'ENOTSUP' || code === 'EROFS' ? null : (error as Error));
    }
  }
}
