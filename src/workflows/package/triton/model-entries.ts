import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallFile } from '../../../codec/small-file.js';
import type { EntryChange } from '../../../report/triton-types.js';
import type { PackageFile } from '../../../targets/package-file.js';
import { isUneditedReadme } from '../../../targets/triton/readme.js';

/** What becomes of a file or folder beside the versions of a model. */
export interface EntryPlan {
  /** Its name in the folder of the model. */
  readonly entry: string;
  readonly change: EntryChange;
  readonly files: readonly PackageFile[];
}

/** Bytes of a file that is compared: larger ones count as different. */
const MOST_COMPARED = 256 * 1024 * 1024;

/** The README of a model. */
export const README = 'README.md';

/**
 * Compares files for the folder of a model with what stands there, by the entry of that folder which they are or are in.
 * A README that somebody edited is kept.
 */
export function planEntries(modelPath: string, files: readonly PackageFile[]): EntryPlan[] {
  const entries = new Map<string, PackageFile[]>();
  for (const file of files) {
    const entry = file.path.split('/')[0] ?? file.path;
    entries.set(entry, [...(entries.get(entry) ?? []), file]);
  }
  return [...entries].map(([entry, its]) => ({ entry, change: changeOf(modelPath, entry, its), files: its }));
}

function changeOf(modelPath: string, entry: string, files: readonly PackageFile[]): EntryChange {
  const path = join(modelPath, entry);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'new';
  const [first] = files;
  if (first?.path === entry) {
    const old = found.isFile() ? bytesOf(path) : undefined;
    if (old !== undefined && Buffer.compare(old, contentOf(first)) === 0) return 'unchanged';
    if (entry === README && (old === undefined || !isUneditedReadme(Buffer.from(old).toString('utf8')))) return 'kept';
    return 'replaced';
  }
  if (!found.isDirectory() || readdirSync(path).length !== files.length) return 'replaced';
  const same = files.every((file) => {
    const old = bytesOf(join(modelPath, file.path));
    return old !== undefined && Buffer.compare(old, contentOf(file)) === 0;
  });
  return same ? 'unchanged' : 'replaced';
}

/** Files beside the versions are small: texts, and data of one sample. */
function contentOf(file: PackageFile): Uint8Array {
  if ('text' in file) return new TextEncoder().encode(file.text);
  return 'bytes' in file ? file.bytes : readSmallFile(file.source, MOST_COMPARED);
}

function bytesOf(path: string): Uint8Array | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > MOST_COMPARED) return undefined;
  return readSmallFile(path, MOST_COMPARED);
}
