import { closeSync, openSync, readSync } from 'node:fs';
import { CHUNK_BYTES, Tensor, type TensorBytes } from '../tensor/tensor.js';
import { fileError } from './system-error.js';
import { writeFully } from './write-fully.js';

/** A file that computed tensors wait in until they are written or run: they leave memory, and their bytes come back when they are read. */
export class SpillFile {
  readonly #path: string;
  #fd: number | undefined;
  #size = 0;

  /** @param path of a file that does not exist, in a folder that goes with its owner @throws SO6001 */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'wx+');
    } catch (cause) {
      throw fileError(path, cause);
    }
  }

  /** A tensor with the same elements, whose bytes are in the file. @throws SO6001 where the disk is full */
  put(tensor: Tensor): Tensor {
    const start = this.#size;
    try {
      for (const chunk of tensor.data.chunks()) {
        writeFully(this.#open(), chunk);
        this.#size += chunk.byteLength;
      }
    } catch (cause) {
      throw fileError(this.#path, cause);
    }
    return Tensor.of(tensor.dataType, tensor.dims, this.#bytes(start, this.#size - start));
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error(`${this.#path} is closed`);
    return this.#fd;
  }

  #bytes(start: number, byteLength: number): TensorBytes {
    const range = (from: number, to: number): Uint8Array => {
      const bytes = new Uint8Array(to - from);
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(this.#open(), bytes, at, bytes.length - at, start + from + at);
        if (count === 0) throw new Error(`${this.#path} ended early`);
        at += count;
      }
      return bytes;
    };
    return {
      byteLength,
      range,
      read: () => range(0, byteLength),
      *chunks() {
        for (let at = 0; at < byteLength; at += CHUNK_BYTES) yield range(at, Math.min(byteLength, at + CHUNK_BYTES));
      },
    };
  }
}
