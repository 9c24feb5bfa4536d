import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileError } from '../../codec/system-error.js';
import { FileHash } from '../file-hash.js';

/** Files that a data set in a folder, or in .npy files beside each other, is made of. */
const DATA_FILE = /\.(npz|npy|pb|jsonl|csv)$/i;

/** One hash of all files of a data set, their names and their order. @throws SO2001, SO2002 */
export async function dataHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  const base = isFolder(path) ? path : dirname(path);
  for (const file of filesOf(path)) {
    const fileHash = new FileHash(file);
    try {
      hash.update(`${relative(base, file)}\n${await fileHash.digest(statSync(file).size)}\n`);
    } finally {
      await fileHash.close();
    }
  }
  return hash.digest('hex');
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function filesOf(path: string): string[] {
  if (isFolder(path)) {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => DATA_FILE.test(name))
      .sort()
      .map((name) => join(path, name));
  }
  if (!/\.(npy|npz)$/i.test(path)) return [path];
  // Other inputs and labels may stand beside: `calib_X.npy`, `calib_labels.npy`, `labels.npy`.
  const stem = basename(path).replace(/\.(npy|npz)$/i, '');
  const prefix = /\.npy$/i.test(path) ? stem.replace(/_[^_]*$/, '') : `${stem}_label`;
  const beside = readdirSync(dirname(path))
    .filter((name) => /\.npy$/i.test(name) && name !== basename(path))
    .filter((name) => name.startsWith(prefix) || /^labels?\.npy$/i.test(name))
    .sort();
  return [path, ...beside.map((name) => join(dirname(path), name))];
}
