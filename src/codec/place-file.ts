/** How finished files get their final names. All names are on one file system. */
import { closeSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { ServeOptError } from '../errors.js';
import { isSystemError } from './system-error.js';

/** A file that now stands under its final name. */
export interface PlacedFile {
  readonly path: string;
  readonly inode: bigint;
}

/** What file systems without hard links say: exFAT, FAT, some network and user-space ones. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EINVAL',
  'EXDEV',
]);

/** Calls of the system; tests give others. */
export interface PlaceSystem {
  readonly link: (from: string, to: string) => void;
  readonly rename: (from: string, to: string) => void;
}

export const PLACE_SYSTEM: PlaceSystem = { link: linkSync, rename: renameSync };

/** Whether an error says that the file system has no hard links. */
export function lacksLinks(error: unknown): boolean {
  return isSystemError(error) && NO_LINKS.has(error.code);
}

/**
 * Gives a file its final name where nothing may stand yet: of two processes that try, one succeeds. Where there are no hard
 * links an empty file claims the name first; a process killed at that moment leaves it.
 * @param given the final name as the user knows it
 * @throws SO1005 when something stands there; errors of the system
 */
export function placeNew(staged: string, target: string, given: string, system = PLACE_SYSTEM): PlacedFile {
  const inode = inodeOf(staged);
  try {
    system.link(staged, target);
  } catch (cause) {
    const isTaken = isSystemError(cause) && cause.code === 'EEXIST';
    // A repeated request on a network file system finds what the first one made.
    if (!isTaken && lacksLinks(cause)) return placeByClaim(staged, target, given, system);
    if (!isTaken) throw cause;
    if (inodeOf(target) !== inode) throw taken(given, cause);
  }
  rmSync(staged, { force: true });
  return { path: target, inode: inode ?? 0n };
}

function placeByClaim(staged: string, target: string, given: string, system: PlaceSystem): PlacedFile {
  try {
    closeSync(openSync(target, 'wx'));
  } catch (cause) {
    throw isSystemError(cause) && cause.code === 'EEXIST' ? taken(given, cause) : cause;
  }
  const claim = { path: target, inode: inodeOf(target) ?? 0n };
  try {
    system.rename(staged, target);
  } catch (cause) {
    takeBack(claim);
    throw cause;
  }
  return { path: target, inode: inodeOf(target) ?? 0n };
}

function taken(given: string, cause: unknown): ServeOptError {
  return new ServeOptError('SO1005', `The output "${given}" already exists`, {
    why: 'another process wrote it in the meantime',
    location: { file: given },
    cause,
  });
}

/** Removes a file that was placed, unless another one stands there by now. */
export function takeBack({ path, inode }: PlacedFile): void {
  if (inodeOf(path) === inode) rmSync(path, { force: true });
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
