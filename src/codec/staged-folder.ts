import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ServeOptError } from '../errors.js';
import { copyDurably } from './copy-durably.js';
import { moveTogether, undoInterrupted } from './moved-together.js';
import { lacksLinks } from './place-file.js';
import { syncPath } from './sync-path.js';
import { isSystemError, outputError } from './system-error.js';
import { makeTemporaryFolder, removeTemporaryFolder, sweepTemporaryFolders } from './temporary-folder.js';
import { writeFully } from './write-fully.js';

export interface StageFileOptions {
  /** Give a file a second name instead of copying it, where the file system allows that. Default false. */
  readonly link?: boolean;
  /** Checked between two files. */
  readonly signal?: AbortSignal | undefined;
}

export interface CommitOptions {
  /** Whether entries that exist are replaced: all of them, or those named. Default false. */
  readonly replace?: boolean | ReadonlySet<string>;
}

/**
 * A folder tree on its way to its final name: built in a hidden folder beside it, synced, then renamed once. Until `commit`
 * nothing is seen at the target; `discard` leaves no trace. A killed process leaves the hidden folder, which the next run
 * that writes beside it removes.
 */
export class StagedFolder {
  /** Final path. */
  readonly path: string;
  readonly #hidden: string;
  readonly #root: string;
  #settled = false;

  private constructor(path: string, hidden: string) {
    this.path = path;
    this.#hidden = hidden;
    this.#root = join(hidden, 'tree');
    mkdirSync(this.#root);
  }

  /**
   * @param path final path of the folder; its parent must exist
   * @param parent where the hidden folder is made, on the same file system; default the parent of `path`
   * @throws SO6001 when the parent cannot be written to
   */
  static create(path: string, parent = dirname(path)): StagedFolder {
    undoInterrupted(parent);
    sweepTemporaryFolders(parent, '.');
    try {
      return new StagedFolder(path, makeTemporaryFolder(parent, `.${basename(path).slice(0, 60)}`));
    } catch (cause) {
      throw outputError(path, cause);
    }
  }

  /** Where a file or folder of the tree stands until the commit. */
  stagedPath(path: string): string {
    return join(this.#root, path);
  }

  /** Makes a folder of the tree, with those above it. @throws SO6001 */
  makeFolder(path: string): void {
    this.#try(() => mkdirSync(this.stagedPath(path), { recursive: true }));
  }

  /** Writes a file of the tree and syncs it. @param path relative, with slashes; checked by the caller @throws SO6001 */
  writeFile(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.#try(() => {
      const staged = this.#room(path);
      const fd = openSync(staged, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
      try {
        writeFully(fd, bytes);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /**
   * Takes an existing file into the tree: by a second name where `link` is given and possible, by a copy otherwise, which
   * the system makes without its bytes coming here (on file systems that can, without copying). @throws SO6001
   * @returns whether the file shares its bytes with the source
   */
  async addFile(path: string, source: string, { link = false, signal }: StageFileOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    try {
      const staged = this.#room(path);
      if (link && linked(realpathSync(source), staged)) return true;
      await copyDurably(source, staged);
      makeWritable(staged);
      return false;
    } catch (cause) {
      this.discard();
      throw outputError(this.path, cause);
    }
  }

  /**
   * Gives the tree its final name. Fails where something stands there, unless it is an empty folder or is to be replaced.
   * @throws SO1005, SO6001
   */
  commit({ replace = false }: { readonly replace?: boolean } = {}): void {
    try {
      syncTree(this.#root);
      if (!replace) refuseExisting(this.path);
      moveTogether([{ staged: this.#root, target: this.path, replace }], this.#hidden);
    } catch (cause) {
      this.discard();
      if (isTaken(cause)) throw taken(this.path);
      throw outputError(this.path, cause);
    }
    this.#finish();
  }

  /**
   * Moves each entry of the tree into a folder that exists already, in this order: the one that refers to others last.
   * What stands there is replaced where `replace` is given, or names it. An error undoes all of it, and so does the next run
   * after a process that was killed between two of them.
   * @param entries names of files or folders at the top of the tree
   * @throws SO1005 for one that exists, before anything was moved; SO6001
   */
  commitInto(entries: readonly string[], { replace = false }: CommitOptions = {}): void {
    const replaces = (entry: string): boolean => (typeof replace === 'boolean' ? replace : replace.has(entry));
    try {
      syncTree(this.#root);
      for (const entry of entries) {
        const target = join(this.path, entry);
        const found = lstatSync(target, { throwIfNoEntry: false });
        if (found === undefined) continue;
        const isSameKind = found.isDirectory() === statSync(this.stagedPath(entry)).isDirectory();
        if (!replaces(entry) || !isSameKind) throw taken(target);
      }
      const moves = entries.map((entry) => ({
        staged: this.stagedPath(entry),
        target: join(this.path, entry),
        replace: replaces(entry),
      }));
      moveTogether(moves, this.#hidden);
    } catch (cause) {
      this.discard();
      throw isTaken(cause) ? taken(this.path) : outputError(this.path, cause);
    }
    syncPath(this.path);
    this.#finish();
  }

  /** Removes what was staged, unless committed. Safe to call again. */
  discard(): void {
    if (this.#settled) return;
    this.#settled = true;
    removeTemporaryFolder(this.#hidden);
  }

  #finish(): void {
    this.#settled = true;
    removeTemporaryFolder(this.#hidden);
    syncPath(dirname(this.path));
  }

  #room(path: string): string {
    const staged = this.stagedPath(path);
    mkdirSync(dirname(staged), { recursive: true });
    return staged;
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.discard();
      throw outputError(this.path, cause);
    }
  }
}

/**
 * Syncs a finished folder and gives it its final name. What is interrupted between two renames is undone by `undoInterrupted`.
 * @throws SO1005 where something stands there that is not an empty folder, unless `replace`; SO6001
 */
export function placeFolder(staged: string, target: string, replace: boolean): void {
  const hidden = makeTemporaryFolder(dirname(target), `.${basename(target).slice(0, 60)}`);
  try {
    syncTree(staged);
    if (!replace) refuseExisting(target);
    moveTogether([{ staged, target, replace }], hidden);
    syncPath(dirname(target));
  } catch (cause) {
    throw isTaken(cause) ? taken(target) : outputError(target, cause);
  } finally {
    removeTemporaryFolder(hidden);
  }
}

/** What a rename says of a folder that another process made in the meantime. */
function isTaken(cause: unknown): boolean {
  return isSystemError(cause) && ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR'].includes(cause.code);
}

function taken(path: string): ServeOptError {
  return new ServeOptError('SO1005', `The output "${path}" already exists`, { location: { file: path } });
}

function refuseExisting(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && readdirSync(path).length === 0)) return;
  throw taken(path);
}

/** A copy has the mode of its source, which may be read-only: a package can be changed by its owner. */
function makeWritable(path: string): void {
  const { mode } = statSync(path);
  if ((mode & 0o200) === 0) chmodSync(path, mode | 0o200);
}

/** Whether a second name could be made. */
function linked(source: string, staged: string): boolean {
  try {
    linkSync(source, staged);
    return true;
  } catch (error) {
    if (lacksLinks(error)) return false;
    throw error;
  }
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) syncTree(join(folder, entry.name));
  }
  syncPath(folder);
}
