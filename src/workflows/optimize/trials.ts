import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../../codec/byte-source.js';
import type { Model } from '../../ir/model.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import type { WorkFolder } from '../../runtime/work-folder.js';

/** Models that are written only to be loaded, one after the other in one folder; weights stay where they are. */
export class Trials {
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
    const name = `trial-${this.#count++}.onnx`;
    try {
      return await use(await writeRunnable(model, this.#folder, { name, links: this.#links }));
    } finally {
      await rm(join(this.#folder.path, name), { force: true });
    }
  }
}
