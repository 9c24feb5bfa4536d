import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { ServeOptError } from '../../errors.js';
import { openFileSource } from '../byte-source.js';
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
import { type LocalHeader, localHeaders } from './local-headers.js';

const ENCRYPTED = 1;
const SIZES_BEHIND = 8;
const FILE_TYPE = 0o170000;
const KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
  [0, 'file'],
]);

/**
 * Reads a zip archive: its directory first, held against the headers before each content, then the contents of files. Where
 * the directory is beyond the limits, or entries share bytes, no content is read.
 * @throws SO2001, SO2002 for a file that cannot be read, SO8130
 */
export async function readZip(path: string, options: ReadArchiveOptions): Promise<ReadArchive> {
  const sink = new EntrySink(options);
  const none = { contents: sink.contents, files: sink.files };
  let zip: ZipFile;
  try {
    zip = await openZip(path);
  } catch (error) {
    if (isSystemError(error)) throw fileError(path, error);
    return { ...none, entries: [], stopped: `it is not a complete zip file (${textOf(error)})` };
  }
  try {
    const raw: Entry[] = [];
    let stopped = await listEntries(zip, raw);
    const headers = readHeaders(path, raw);
    const entries = raw.map((each, index) => describe(each, headers[index] as LocalHeader));
    stopped ??= whyNotRead(entries);
    if (stopped !== undefined) return { ...none, entries, stopped };
    const read: ArchiveEntry[] = [];
    for (const [index, entry] of entries.entries()) {
      const damage = await whyDamaged(zip, raw[index] as Entry, entry, sink);
      read.push(damage === undefined ? entry : { ...entry, damage });
    }
    return { ...none, entries: read };
  } finally {
    zip.close();
  }
}

function openZip(path: string): Promise<ZipFile> {
  const options = { lazyEntries: true, decodeStrings: false, autoClose: false };
  return new Promise((resolve, reject) => {
    yauzl.open(path, options, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

/** Fills `entries`. @returns why the list is not complete */
function listEntries(zip: ZipFile, entries: Entry[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    zip.on('error', (error: Error) => resolve(`its directory is damaged (${error.message})`));
    zip.on('end', () => resolve(undefined));
    zip.on('entry', (entry: Entry) => {
      if (entries.length >= ARCHIVE_LIMITS.entries) {
        resolve(`it has more than ${ARCHIVE_LIMITS.entries} entries`);
        return;
      }
      entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function readHeaders(path: string, entries: readonly Entry[]): readonly LocalHeader[] {
  const source = openFileSource(path, basename(path));
  try {
    return localHeaders(source, entries.map(directoryFacts));
  } finally {
    source.close();
  }
}

function directoryFacts(entry: Entry): Parameters<typeof localHeaders>[1][number] {
  return {
    offset: entry.relativeOffsetOfLocalHeader,
    name: nameBytes(entry),
    method: entry.compressionMethod,
    flags: entry.generalPurposeBitFlag,
    storedBytes: entry.compressedSize,
    sizeBytes: entry.uncompressedSize,
    crc: entry.crc32,
  };
}

/** With `decodeStrings: false` the name comes as bytes, which the types do not say. */
function nameBytes(entry: Entry): Uint8Array {
  const raw: unknown = entry.fileName;
  return raw instanceof Uint8Array ? raw : new TextEncoder().encode(String(raw));
}

function describe(entry: Entry, header: LocalHeader): ArchiveEntry {
  const faults: EntryFault[] = [...header.faults];
  const bytes = nameBytes(entry);
  let path: string;
  try {
    path = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    faults.push('name');
    path = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) faults.push('encrypted');
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) faults.push('method');
  const isFolder = path.endsWith('/');
  if (entry.compressionMethod === 0 && (entry.generalPurposeBitFlag & SIZES_BEHIND) !== 0) faults.push('streamed');
  // Only archives made on Unix have file types.
  const type = entry.versionMadeBy >>> 8 === 3 ? (entry.externalFileAttributes >>> 16) & FILE_TYPE : 0;
  const kind = isFolder ? 'folder' : (KINDS.get(type) ?? 'other');
  return { path, kind, sizeBytes: entry.uncompressedSize, storedBytes: entry.compressedSize, faults };
}

/** Why contents should not be read at all. */
function whyNotRead(entries: readonly ArchiveEntry[]): string | undefined {
  let [contentBytes, storedBytes] = [0, 0];
  for (const { path, sizeBytes, storedBytes: stored = 0, faults } of entries) {
    if (faults.includes('overlap')) return `"${path.slice(0, 100)}" shares its bytes with another entry`;
    const why = whyBomb(sizeBytes, stored);
    if (why !== undefined) return `"${path.slice(0, 100)}" is a bomb: ${why}`;
    contentBytes += sizeBytes;
    storedBytes += stored;
  }
  const why = whyBomb(contentBytes, storedBytes);
  return why === undefined ? undefined : `it is a bomb: ${why}`;
}

async function whyDamaged(zip: ZipFile, raw: Entry, entry: ArchiveEntry, sink: EntrySink): Promise<string | undefined> {
  if (entry.kind !== 'file' || entry.faults.some((fault) => fault === 'encrypted' || fault === 'method'))
    return undefined;
  try {
    const stream = await new Promise<Readable>((resolve, reject) => {
      zip.openReadStream(raw, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    const { crc } = await sink.take(entry, stream);
    return crc === raw.crc32 >>> 0 ? undefined : 'its checksum is wrong';
  } catch (error) {
    if (error instanceof ServeOptError || isSystemError(error)) throw error;
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
