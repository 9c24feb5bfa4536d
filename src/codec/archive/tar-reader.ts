import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import tar, { type Headers } from 'tar-stream';
import { ServeOptError } from '../../errors.js';
import { fileError, isSystemError } from '../system-error.js';
import {
  ARCHIVE_LIMITS,
  type ArchiveEntry,
  type EntryFault,
  type EntryKind,
  type ReadArchive,
  type ReadArchiveOptions,
  whyBomb,
} from './archive-entry.js';
import { EntrySink } from './entry-sink.js';

const KINDS: ReadonlyMap<string, EntryKind> = new Map([
  ['file', 'file'],
  ['contiguous-file', 'file'],
  ['directory', 'folder'],
  ['link', 'link'],
  ['symlink', 'link'],
]);

/** An archive that is a compressed tar file, read to its end or to the first fault. @throws SO2001, SO2002, SO8130 */
export async function readTarGz(path: string, options: ReadArchiveOptions): Promise<ReadArchive> {
  const sink = new EntrySink(options);
  const entries: ArchiveEntry[] = [];
  const done = (stopped?: string): ReadArchive => ({
    entries,
    contents: sink.contents,
    files: sink.files,
    ...(stopped === undefined ? {} : { stopped }),
  });
  let archiveBytes: number;
  try {
    archiveBytes = statSync(path).size;
  } catch (error) {
    throw fileError(path, error);
  }
  const source = createReadStream(path);
  const unzipped = createGunzip();
  const extract = tar.extract();
  const fail = (error: Error): void => {
    extract.destroy(error);
  };
  source.once('error', fail);
  unzipped.once('error', fail);
  source.pipe(unzipped).pipe(extract as unknown as NodeJS.WritableStream);
  let contentBytes = 0;
  try {
    for await (const item of extract) {
      const entry = describe(item.header);
      entries.push(entry);
      if (entries.length > ARCHIVE_LIMITS.entries) return done(`it has more than ${ARCHIVE_LIMITS.entries} entries`);
      contentBytes += entry.sizeBytes;
      const why = whyBomb(contentBytes, archiveBytes);
      if (why !== undefined) return done(`it is a bomb: ${why}`);
      if (entry.kind === 'file') await sink.take(entry, item as unknown as Readable);
      else item.resume();
    }
    return done();
  } catch (error) {
    if (error instanceof ServeOptError) throw error;
    if (isSystemError(error)) throw fileError(path, error);
    return done(`it is not a complete tar file compressed by gzip (${error instanceof Error ? error.message : error})`);
  } finally {
    source.destroy();
    unzipped.destroy();
    extract.destroy();
  }
}

function describe({ name, size = 0, type }: Headers): ArchiveEntry {
  const faults: EntryFault[] = name.includes('\ufffd') ? ['name'] : [];
  const kind = KINDS.get(type ?? 'file') ?? 'other';
  return { path: name, kind, sizeBytes: kind === 'file' ? size : 0, faults };
}
