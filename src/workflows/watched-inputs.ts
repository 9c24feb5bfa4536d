import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';

/** Files of a folder that are watched at most: a look at each takes some microseconds. */
const MOST_FILES = 1000;
const DATA_FILE = /\.(npz|npy|pb)$/i;
const TEST_DATA = /^test_data_set_\d+$/;

/**
 * Inputs that must stay what they are while a run reads them, several times and in two processes: models by what was opened,
 * samples by size and time of the last change.
 */
export class WatchedInputs {
  readonly #models: Model[] = [];
  readonly #stamps: Map<string, string> = new Map();

  /** @param dataPaths files or folders of samples; those that are not there are left to whoever reads them */
  constructor(...dataPaths: readonly (string | undefined)[]) {
    for (const path of dataPaths) {
      if (path === undefined) continue;
      for (const file of filesOf(path)) {
        const stamp = stampOf(file);
        if (stamp !== undefined) this.#stamps.set(file, stamp);
      }
    }
  }

  /** Watches a model with its data files for as long as it is open. */
  add(model: Model): void {
    this.#models.push(model);
  }

  /** @throws SO2008 naming the file that changed, was replaced or removed */
  check(): void {
    for (const model of this.#models) model.source?.checkUnchanged();
    for (const [file, stamp] of this.#stamps) {
      const now = stampOf(file);
      if (now === stamp) continue;
      const how = now === undefined ? 'was removed' : 'changed';
      throw new ServeOptError('SO2008', `"${basename(file)}" ${how} while it was read`, { location: { file } });
    }
  }

  /**
   * Does work that reads the inputs. Where it fails and an input is not what it was, that is told instead: whatever broke broke
   * because of it. @throws SO2008, and what `work` throws
   */
  async during<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!signal?.aborted) this.check();
      throw error;
    }
  }
}

/** The file itself, or what a data set in a folder is made of. */
function filesOf(path: string): string[] {
  const files: string[] = [];
  const collect = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (files.length >= MOST_FILES) return;
      if (entry.isDirectory() && TEST_DATA.test(entry.name) && folder === path) collect(join(folder, entry.name));
      else if (DATA_FILE.test(entry.name)) files.push(join(folder, entry.name));
    }
  };
  try {
    if (!statSync(path).isDirectory()) return [path];
    collect(path);
  } catch {
    // Whoever reads it tells why it cannot be read.
  }
  return files;
}

function stampOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    return `${stat.size} ${stat.mtimeNs}`;
  } catch {
    return undefined;
  }
}
