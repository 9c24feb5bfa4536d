import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { bug } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { type ByteSource, FileBytes, openFileSource } from './byte-source.js';
import { temporaryError } from './system-error.js';
import { writeFully } from './write-fully.js';

/** A file that computed tensors wait in until they are written or run: they leave memory, and their bytes come back when they are read. */
export class SpillFile {
  readonly #path: string;
  readonly #source: ByteSource;
  #fd: number | undefined;
  #size = 0;

  /** @param path of a file that does not exist, in a work folder, which goes with its owner @throws SO6001 */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'wx');
    } catch (cause) {
      throw this.#unwritten(cause);
    }
    try {
      this.#source = growing(openFileSource(path, basename(path)));
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** A tensor with the same elements, whose bytes are in the file until it is closed. @throws SO6001 where the disk is full */
  put(tensor: Tensor): Tensor {
    if (this.#fd === undefined) throw bug(`"${this.#path}" is closed`);
    const start = this.#size;
    try {
      for (const chunk of tensor.data.chunks()) {
        writeFully(this.#fd, chunk, this.#size);
        this.#size += chunk.byteLength;
      }
    } catch (cause) {
      throw this.#unwritten(cause);
    }
    return Tensor.of(tensor.dataType, tensor.dims, new FileBytes({ source: this.#source, start, end: this.#size }));
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#source.close();
  }

  #unwritten(cause: unknown): Error {
    return temporaryError(dirname(dirname(this.#path)), cause);
  }
}

/** A source that changes as it is written and that nobody else may open: its path would outlive neither the run nor its folder. */
function growing(file: ByteSource): ByteSource {
  return {
    label: file.label,
    path: undefined,
    sizeBytes: Number.POSITIVE_INFINITY,
    read: (start, end) => file.read(start, end),
    readInto: (target, start) => file.readInto(target, start),
    checkUnchanged: () => {},
    close: () => file.close(),
  };
}
