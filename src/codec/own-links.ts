import { type BigIntStats, fstatSync, lstatSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEMPORARY_STEM, temporaryFolders } from './temporary-folder.js';

/** Links come and go while other runs begin and end: a count that does not fit is taken again. */
const TRIES = 3;

/**
 * Whether each hard link of an open file stands in `folder`, or in a working folder of a run of ours: models are run from
 * there without a copy of their weights. Such links lead nowhere that a model may not read.
 */
export function hasOnlyOwnLinks(fd: number, folder: string): boolean {
  for (let tries = 0; tries < TRIES; tries++) {
    const file = fstatSync(fd, { bigint: true });
    if (file.nlink <= 1n) return true;
    const folders = [folder, ...temporaryFolders(tmpdir(), TEMPORARY_STEM)];
    let known = 0n;
    for (const each of folders) known += linksIn(each, file);
    if (known >= fstatSync(fd, { bigint: true }).nlink) return true;
  }
  return false;
}

function linksIn(folder: string, { dev, ino }: BigIntStats): bigint {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return 0n; // Gone meanwhile, with its links.
  }
  let count = 0n;
  for (const name of names) {
    const entry = lstatSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
    if (entry?.ino === ino && entry.dev === dev) count++;
  }
  return count;
}
