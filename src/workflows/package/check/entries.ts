import { lstatSync, opendirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { systemCode, systemReason } from '../../../codec/system-error.js';
import type { EntryFacts } from '../../../targets/triton/lint/facts.js';

/** Entries of one model: a folder with more is not what it is taken for. */
export const MAX_ENTRIES = 20_000;

/** Looks at files and folders below a root. Links are followed to places inside of it only. */
export class EntryReader {
  /** Real path of what is checked. */
  readonly root: string;

  constructor(root: string) {
    this.root = realpathSync(root);
  }

  /** Kind and size of a path; undefined where nothing is there. */
  look(path: string): EntryFacts | undefined {
    try {
      if (!lstatSync(path).isSymbolicLink()) return this.#isInside(path) ? kindOf(lstatSync(path)) : OUTSIDE;
      if (!this.#isInside(path)) return OUTSIDE;
      return kindOf(statSync(path));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ELOOP')
        return this.#isLink(path) ? { kind: 'broken', sizeBytes: 0 } : undefined;
      if (code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ERR_INVALID_ARG_VALUE') return undefined;
      return { kind: 'other', sizeBytes: 0 };
    }
  }

  /** Names in a folder. @returns why they cannot be read, as a text */
  names(folder: string): readonly string[] | string {
    const names: string[] = [];
    try {
      const directory = opendirSync(folder);
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          names.push(entry.name);
          if (names.length > MAX_ENTRIES) return `it has more than ${MAX_ENTRIES} entries`;
        }
      } finally {
        directory.closeSync();
      }
    } catch (error) {
      return systemReason(error);
    }
    return names.sort();
  }

  #isLink(path: string): boolean {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  }

  /** Whether a path is below the root once all links on it are followed. */
  #isInside(path: string): boolean {
    const real = realpathSync(path);
    return real === this.root || real.startsWith(this.root.endsWith(sep) ? this.root : `${this.root}${sep}`);
  }
}

const OUTSIDE: EntryFacts = { kind: 'outside', sizeBytes: 0 };

function kindOf(stats: Stats): EntryFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { kind, sizeBytes: stats.size };
}

/** The entries of a model's folder and of the folders in it, by path with slashes. */
export function modelEntries(reader: EntryReader, folder: string): Map<string, EntryFacts> | string {
  const entries = new Map<string, EntryFacts>();
  const add = (inside: string): string | undefined => {
    const names = reader.names(join(folder, inside));
    if (typeof names === 'string') return inside === '' ? names : undefined;
    for (const name of names) {
      const path = inside === '' ? name : `${inside}/${name}`;
      const entry = reader.look(join(folder, path));
      if (entry !== undefined) entries.set(path, entry);
      if (entries.size > MAX_ENTRIES) return `it has more than ${MAX_ENTRIES} entries`;
    }
    return undefined;
  };
  const why = add('');
  if (why !== undefined) return why;
  for (const [path, { kind }] of [...entries]) {
    const problem = kind === 'folder' ? add(path) : undefined;
    if (problem !== undefined) return problem;
  }
  return entries;
}
