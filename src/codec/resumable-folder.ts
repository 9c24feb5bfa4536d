import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ServeOptError } from '../errors.js';
import { undoInterrupted } from './moved-together.js';
import { placeFolder } from './staged-folder.js';
import { outputError } from './system-error.js';
import {
  isOwnerDead,
  isOwnPrivate,
  makeTemporaryFolder,
  removeTemporaryFolder,
  temporaryFolders,
} from './temporary-folder.js';
import { writeFully } from './write-fully.js';

const ENDING = '.serve-opt-partial';
const KEY = 'key';
const JOURNAL = 'journal';
const TREE = 'tree';
const OWNER = 'owner';

/**
 * A folder that takes long to make, on its way to its final name: built in a hidden folder beside it, renamed once. Where a run
 * ends early, `keep` leaves what is done, and a killed process leaves it too: the next run with the same key goes on from there.
 * A journal says what is done: its lines are on the disk before the next work begins, and after the bytes that they speak of.
 */
export class ResumableFolder {
  /** Final path. */
  readonly path: string;
  /** The hidden folder. */
  readonly partial: string;
  /** Lines that an earlier run wrote, oldest first; none where there was none, or one of another key. */
  readonly earlier: readonly string[];
  readonly #owner: string;
  #journal: number | undefined;

  private constructor(path: string, partial: string, owner: string, earlier: readonly string[]) {
    this.path = path;
    this.partial = partial;
    this.#owner = owner;
    this.earlier = earlier;
    this.#journal = openSync(join(partial, JOURNAL), constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  }

  /**
   * @param path final path; its parent must exist
   * @param key equal for runs that make the same folder
   * @throws SO1005 while another process makes the same folder, SO6001 where nothing can be written
   */
  static open(path: string, key: string): ResumableFolder {
    const partial = join(dirname(path), `.${basename(path).slice(0, 60)}${ENDING}`);
    undoInterrupted(dirname(path));
    try {
      mkdirSync(partial, { recursive: true, mode: 0o700 });
      if (!isOwnPrivate(partial)) {
        throw new ServeOptError('SO6001', `Cannot write "${path}": its hidden folder is not private`, {
          why: `"${basename(partial)}" belongs to another user, or others can write to it`,
          hint: 'remove that folder, or give another path with -o',
          location: { file: path },
        });
      }
      const owner = takeOver(path, partial);
      const earlier = earlierLines(partial, key);
      if (earlier === undefined) {
        for (const name of [KEY, JOURNAL, TREE]) rmSync(join(partial, name), { recursive: true, force: true });
        mkdirSync(join(partial, TREE));
        writeFileSync(join(partial, KEY), key, { flush: true });
      }
      const folder = new ResumableFolder(path, partial, owner, earlier ?? []);
      for (const line of folder.earlier) folder.#write(line);
      return folder;
    } catch (cause) {
      throw cause instanceof ServeOptError ? cause : outputError(path, cause);
    }
  }

  /** Where a file of the folder stands until the commit. */
  stagedPath(name: string): string {
    return join(this.partial, TREE, name);
  }

  /** Notes what is done, durably. What the lines speak of must be on the disk already. */
  append(lines: readonly string[]): void {
    if (lines.length === 0) return;
    try {
      for (const line of lines) this.#write(line);
      if (this.#journal !== undefined) fsyncSync(this.#journal);
    } catch (cause) {
      throw outputError(this.path, cause);
    }
  }

  /** Gives the folder its final name. @param replace whether a folder that stands there is replaced @throws SO1005, SO6001 */
  commit(replace: boolean): void {
    placeFolder(join(this.partial, TREE), this.path, replace);
    this.discard();
  }

  /** Leaves what is done to the next run. */
  keep(): void {
    this.#close();
    removeTemporaryFolder(this.#owner);
  }

  /** Removes everything but what was committed. Safe to call again. */
  discard(): void {
    this.#close();
    removeTemporaryFolder(this.#owner);
    rmSync(this.partial, { recursive: true, force: true });
  }

  #write(line: string): void {
    if (this.#journal !== undefined) writeFully(this.#journal, new TextEncoder().encode(`${line}\n`));
  }

  #close(): void {
    if (this.#journal !== undefined) closeSync(this.#journal);
    this.#journal = undefined;
  }
}

/** Makes this process the owner of a partial folder. The temporary folder in it tells whose it is, and goes with its process. */
function takeOver(path: string, partial: string): string {
  const owner = makeTemporaryFolder(partial, OWNER);
  for (const other of temporaryFolders(partial, OWNER)) {
    if (other === owner) continue;
    if (isOwnerDead(other)) {
      rmSync(other, { recursive: true, force: true });
      continue;
    }
    removeTemporaryFolder(owner);
    throw new ServeOptError('SO1005', `Another process is writing "${path}"`, {
      why: 'two runs must not make the same folder',
      hint: 'wait for it to end, or give another folder with -o',
      location: { file: path },
    });
  }
  return owner;
}

/** Whole lines of the journal of an earlier run; undefined where there was none of this key. */
function earlierLines(partial: string, key: string): readonly string[] | undefined {
  if (readText(join(partial, KEY)) !== key || !existsSync(join(partial, TREE))) return undefined;
  // What follows the last line break was cut off.
  return (readText(join(partial, JOURNAL)) ?? '').split('\n').slice(0, -1);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Not there, or not readable: then it is of no use.
  }
}
