import { rm } from 'node:fs/promises';
import type { ByteSource } from '../../codec/byte-source.js';
import type { Model } from '../../ir/model.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import type { WorkFolder } from '../../runtime/work-folder.js';

/** Candidates that are written only to be loaded, in one folder; weights stay where they are. */
export class CandidateFiles {
  readonly #folder: WorkFolder;
  readonly #links: Map<ByteSource, string> = new Map();
  #count = 0;

  constructor(folder: WorkFolder) {
    this.#folder = folder;
  }

  /** How many were tried. */
  get count(): number {
    return this.#count;
  }

  /** Calls `use` with the model as a file, which is gone afterwards. */
  async try<T>(model: Model, use: (path: string) => Promise<T>): Promise<T> {
    const path = await this.write(model);
    try {
      return await use(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** The model as a file that stays as long as the folder: sessions of it can be made anew. @returns its path */
  async write(model: Model): Promise<string> {
    return writeRunnable(model, this.#folder, { name: `candidate-${this.#count++}.onnx`, links: this.#links });
  }
}
