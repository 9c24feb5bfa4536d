import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOwnerDead, isOwnPrivate } from './temporary-folder.js';

/** How the folder is called that an old folder waits in, behind the name of the temporary folder of its run. */
const ENDING = '.replaced';
/** In it: the old folder, and the path that it had. */
const OLD = 'old';
const TARGET = 'path';

/**
 * Puts a folder in the place of another one. That takes two renames, as systems have no third: between them the old one stands
 * in a folder of its own beside the staged one, which names its owner. A process that is killed at that moment leaves it there,
 * and `restoreReplaced` puts it back.
 * @param hidden the temporary folder that `staged` is in
 */
export function replaceFolder(staged: string, target: string, hidden: string): void {
  const keep = `${hidden}${ENDING}`;
  mkdirSync(keep, { recursive: true, mode: 0o700 });
  const old = join(keep, OLD);
  writeFileSync(join(keep, TARGET), target, { flush: true });
  renameSync(target, old);
  try {
    renameSync(staged, target);
  } catch (cause) {
    renameSync(old, target);
    throw cause;
  } finally {
    if (existsSync(target)) rmSync(keep, { recursive: true, force: true });
  }
}

/** Puts folders back into their places whose replacement was interrupted by the end of its process. */
export function restoreReplaced(parent: string): void {
  for (const name of namesIn(parent)) {
    if (!name.endsWith(ENDING)) continue;
    const keep = join(parent, name);
    if (!isOwnPrivate(keep) || !isOwnerDead(keep.slice(0, -ENDING.length))) continue;
    try {
      const target = readFileSync(join(keep, TARGET), 'utf8');
      if (!existsSync(target)) renameSync(join(keep, OLD), target);
      rmSync(keep, { recursive: true, force: true });
    } catch {
      // It is no part of this run: another process may be at it, or the next one will.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // What is to be made there will fail with the reason.
  }
}
