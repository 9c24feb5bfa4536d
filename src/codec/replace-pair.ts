import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { lacksLinks, PLACE_SYSTEM, type PlaceSystem } from './place-file.js';
import { isSystemError } from './system-error.js';

/** A file and the data file it refers to by name, finished and on the file system where they go. */
export interface StagedPair {
  readonly file: string;
  readonly data: string;
  /** The same file, but it refers to `bridgeName`. */
  readonly bridge: string;
  /** From `bridgeName`. */
  readonly bridgeName: string;
}

/** A name for the data file that nothing has yet, for as long as the pair is replaced. */
export function bridgeName(fileName: string): string {
  return `${fileName}.${randomBytes(6).toString('hex')}.data`;
}

/**
 * Replaces a file and its data file so that what stands under the file's name is whole at every moment, be the process killed
 * at any: the new data gets a name of its own first, a file that refers to that name replaces the old one, then the data
 * gets its final name as well, and last the final file comes. A kill on the way may leave the data under its second name; the
 * next call for the same file removes it.
 *
 * Where the file system has no hard links the two are renamed one directly after the other, the data first: a process killed
 * between these two calls leaves the old file beside the new data.
 */
export function replacePair(staged: StagedPair, file: string, data: string, system: PlaceSystem = PLACE_SYSTEM): void {
  const bridgeData = join(dirname(file), staged.bridgeName);
  let bridged = true;
  try {
    system.link(staged.data, bridgeData);
  } catch (cause) {
    const tooLong = isSystemError(cause) && cause.code === 'ENAMETOOLONG';
    if (!tooLong && !lacksLinks(cause)) throw cause;
    bridged = false;
  }
  if (bridged) {
    try {
      system.rename(staged.bridge, file);
    } catch (cause) {
      rmSync(bridgeData, { force: true });
      throw cause;
    }
  }
  system.rename(staged.data, data);
  system.rename(staged.file, file);
  if (bridged) removeBridges(file);
}

/** Second names of data that this or a killed process left; the file, just written, refers to none of them. */
function removeBridges(file: string): void {
  const prefix = `${basename(file)}.`;
  const isBridge = (name: string): boolean =>
    name.startsWith(prefix) && /^[0-9a-f]{12}\.data$/.test(name.slice(prefix.length));
  try {
    for (const name of readdirSync(dirname(file)))
      if (isBridge(name)) rmSync(join(dirname(file), name), { force: true });
  } catch {
    // What was wanted stands; the next call tries again.
  }
}
