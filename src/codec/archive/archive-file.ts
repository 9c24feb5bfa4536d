/** A file on its way into an archive: its path inside of it, and its content, or the file that has it. */
export type ArchiveFile =
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly source: string; readonly sizeBytes: number };

export interface ArchiveOptions {
  /** Given the bytes of each source in their order as they are read; `path` is that in the archive. */
  readonly onSource?: (path: string, bytes: Uint8Array) => void;
}

/** Bytes that are read from a source at once. More of them would only wait in the streams behind. */
export const SOURCE_READ_BYTES: number = 64 * 1024;

/** Type and permissions of every file in an archive: owner writes, all read. */
export const ARCHIVE_MODE = 0o100644;

/** Time of every file in an archive, so that equal files give equal archives: the earliest that zip files have. */
export const ARCHIVE_TIME = new Date(Date.UTC(1980, 0, 1));
