/**
 * Several renames that count as one: what they replace is kept until the last one, and a run that is killed between them is
 * undone by the next one.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { lacksLinks, placeNew } from './place-file.js';
import { syncPath } from './sync-path.js';
import { isOwnerDead, isOwnPrivate } from './temporary-folder.js';

/** How the folder is called in which old entries wait, behind the name of the temporary folder of its run. */
const ENDING = '.replaced';
/** In it: what is moved, from before the first rename until after the last; and the old entries by number. */
const JOURNAL = 'moves.json';

/** A file or folder on its way to its final name. */
export interface Move {
  readonly staged: string;
  readonly target: string;
  /** Whether what stands at the target is replaced; otherwise nothing may stand there. */
  readonly replace: boolean;
}

/** What is needed to undo a move. */
interface JournalEntry {
  readonly target: string;
  /** What is moved, as the file system knows it: another one at the target was put there, or was changed, later. */
  readonly identity: string;
  /** Whether something stood at the target. */
  readonly replaced: boolean;
}

/**
 * Moves each entry to its target, in this order. All of them on one file system. An error undoes those that were moved.
 * @param hidden the temporary folder that the entries are in
 * @throws SO1005 where something stands at a target that is not to be replaced; errors of the system
 */
export function moveTogether(moves: readonly Move[], hidden: string): void {
  const planned = moves.map((move) => ({ ...move, replaced: move.replace && exists(move.target) }));
  const [only] = planned;
  if (planned.length === 1 && only !== undefined && !(only.replaced && isFolder(only.target))) {
    placeOne(only);
    return;
  }
  const keep = `${hidden}${ENDING}`;
  const journal = planned.map(({ staged, target, replaced }) => ({
    target,
    identity: identityOf(staged) ?? '',
    replaced,
  }));
  mkdirSync(keep, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(keep, JOURNAL), JSON.stringify(journal), { flush: true });
    syncPath(keep);
    for (const [index, move] of planned.entries()) {
      if (move.replaced) keepOld(move.target, join(keep, String(index)));
      placeOne(move);
    }
    for (const folder of new Set(planned.map(({ target }) => dirname(target)))) syncPath(folder);
  } catch (cause) {
    undo(journal, keep);
    rmSync(keep, { recursive: true, force: true });
    throw cause;
  }
  // From here on it is done: without the journal nothing is undone.
  rmSync(join(keep, JOURNAL));
  rmSync(keep, { recursive: true, force: true });
}

/** Undoes what processes that ended between two renames have left beside `parent`'s entries, and clears up after those that were done. */
export function undoInterrupted(parent: string): void {
  for (const name of namesIn(parent)) {
    if (!name.endsWith(ENDING)) continue;
    const keep = join(parent, name);
    if (!isOwnPrivate(keep) || !isOwnerDead(keep.slice(0, -ENDING.length))) continue;
    try {
      if (existsSync(join(keep, JOURNAL))) undo(readJournal(keep), keep);
      rmSync(keep, { recursive: true, force: true });
    } catch {
      // It is no part of this run: another process may be at it, or the next one will.
    }
  }
}

/** A folder leaves its name, and a file gets a second one, so that there is one under its name at every moment. */
function keepOld(target: string, old: string): void {
  if (isFolder(target)) {
    renameSync(target, old);
    return;
  }
  try {
    linkSync(target, old);
  } catch (error) {
    if (!lacksLinks(error)) throw error;
    copyFileSync(target, old);
  }
}

function placeOne({ staged, target, replaced }: Move & { readonly replaced: boolean }): void {
  // A rename fails where a folder stands that is not empty, and replaces a file.
  if (isFolder(staged) || replaced) renameSync(staged, target);
  else placeNew(staged, target, target);
}

function undo(journal: readonly JournalEntry[], keep: string): void {
  for (const [index, { target, identity, replaced }] of [...journal.entries()].reverse()) {
    const old = join(keep, String(index));
    const isMoved = identityOf(target) === identity;
    if (replaced && exists(old)) {
      if (exists(target) && isFolder(target)) {
        // Somebody put another folder there.
        if (!isMoved) continue;
        renameSync(target, `${old}.new`);
      }
      if (!exists(target) || isMoved) renameSync(old, target);
    } else if (!replaced && isMoved) rmSync(target, { recursive: true, force: true });
  }
}

function readJournal(keep: string): JournalEntry[] {
  return JSON.parse(readFileSync(join(keep, JOURNAL), 'utf8')) as JournalEntry[];
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Number and time of the last change, which a rename keeps: numbers alone are used again. */
function identityOf(path: string): string | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.ino}-${stats.mtimeNs}`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // What is to be made there will fail with the reason.
  }
}
