/** What something in an archive is. */
export type EntryKind = 'file' | 'folder' | 'link' | 'other';

/** Something about the container of an entry that a reader could stumble over. */
export type EntryFault =
  /** Its name is not UTF-8. */
  | 'name'
  | 'encrypted'
  /** Neither stored nor deflated. */
  | 'method'
  /** Stored with its sizes behind it: a reader of streams cannot find the end. */
  | 'streamed'
  /** Its own header says something else than the directory. */
  | 'header'
  /** It shares bytes with the one before. */
  | 'overlap'
  /** Bytes before it that belong to no entry: a reader of streams stops there. */
  | 'gap';

/** One entry of an archive, as the archive describes it. */
export interface ArchiveEntry {
  /** As it is written, with bytes that are not UTF-8 replaced. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Bytes of its content. */
  readonly sizeBytes: number;
  /** Bytes that it takes in the archive; absent where the whole is compressed, and in folders. */
  readonly storedBytes?: number;
  readonly faults: readonly EntryFault[];
  /** Why its content is not what the archive says. Set by those that read it. */
  readonly damage?: string;
}

/** What to do with the content of a file while an archive is read. */
export type KeepContent = 'memory' | 'file' | 'nothing';

/** An archive that was read. */
export interface ReadArchive {
  readonly entries: readonly ArchiveEntry[];
  /** Contents that were kept in memory, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Where the contents are that were kept in files, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Why reading ended early: the archive is damaged or beyond the limits. */
  readonly stopped?: string;
}

export interface ReadArchiveOptions {
  /** Asked for every file. */
  readonly keep: (entry: ArchiveEntry) => KeepContent;
  /** Folder for contents that are kept in files. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes of contents as they are read. */
  readonly onBytes?: (bytes: number) => void;
}

/** Limits that no sensible archive reaches; beyond, reading stops. */
export const ARCHIVE_LIMITS = {
  entries: 10_000,
  /** Content of all files together. */
  contentBytes: 256 * 1024 ** 3,
  /** A file kept in memory. */
  memoryBytes: 4 * 1024 ** 2,
  /** Content for each byte of the archive, where the content is larger than the next limit. */
  ratio: 200,
  ratioFromBytes: 64 * 1024 ** 2,
} as const;

/** Why sizes are beyond the limits; undefined within. @param storedBytes that the content came from */
export function whyBomb(contentBytes: number, storedBytes: number): string | undefined {
  if (contentBytes > ARCHIVE_LIMITS.contentBytes) return `its content has ${contentBytes} bytes`;
  if (contentBytes > ARCHIVE_LIMITS.ratioFromBytes && contentBytes > storedBytes * ARCHIVE_LIMITS.ratio) {
    return `${storedBytes} bytes become ${contentBytes}`;
  }
  return undefined;
}
