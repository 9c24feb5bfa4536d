import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../system-error.js';
import { ARCHIVE_LIMITS, type ArchiveEntry, type ReadArchive, type ReadArchiveOptions } from './archive-entry.js';

/** A folder as if it were an archive. Links are listed and never followed. @throws SO2001, SO2002 */
export function readFolder(path: string, { keep }: ReadArchiveOptions): ReadArchive {
  const entries: ArchiveEntry[] = [];
  const contents = new Map<string, Uint8Array>();
  const files = new Map<string, string>();
  const waiting: string[] = [''];
  try {
    for (let at = 0; at < waiting.length; at++) {
      const folder = waiting[at] as string;
      for (const name of readdirSync(join(path, folder)).sort()) {
        const inside = folder === '' ? name : `${folder}/${name}`;
        const stat = lstatSync(join(path, inside));
        const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
        const entry: ArchiveEntry = { path: inside, kind, sizeBytes: stat.isFile() ? stat.size : 0, faults: [] };
        entries.push(entry);
        if (entries.length > ARCHIVE_LIMITS.entries) {
          return { entries, contents, files, stopped: `it has more than ${ARCHIVE_LIMITS.entries} entries` };
        }
        if (kind === 'folder') waiting.push(inside);
        if (kind !== 'file') continue;
        const wish = keep(entry);
        if (wish === 'file') files.set(inside, join(path, inside));
        if (wish === 'memory' && stat.size <= ARCHIVE_LIMITS.memoryBytes)
          contents.set(inside, readFileSync(join(path, inside)));
      }
    }
  } catch (error) {
    throw fileError(path, error);
  }
  return { entries, contents, files };
}
