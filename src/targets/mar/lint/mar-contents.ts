import type { ArchiveEntry } from '../../../codec/archive/archive-entry.js';
import type { MarFormat } from '../mar-options.js';

/** An archive as rules look at it. */
export interface MarContents {
  readonly format: MarFormat;
  /** As the archive has them. */
  readonly entries: readonly ArchiveEntry[];
  /** Why reading ended early. */
  readonly stopped?: string;
  /** Sizes of files as TorchServe unpacks them: without the top folder of a tar file. */
  readonly files: ReadonlyMap<string, number>;
  /** Small files that rules read, by the same paths. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** The part of a path that TorchServe keeps: of a tar file, what follows the first slash. */
export function unpackedPath(path: string, format: MarFormat): string {
  if (format === 'tgz') return path.slice(path.indexOf('/') + 1);
  return path.replace(/^\.\//, '');
}

/** What rules read of an archive, from its entries and contents. */
export function marContents(
  format: MarFormat,
  {
    entries,
    contents,
    stopped,
  }: {
    readonly entries: readonly ArchiveEntry[];
    readonly contents: ReadonlyMap<string, Uint8Array>;
    readonly stopped?: string;
  },
): MarContents {
  const files = new Map<string, number>();
  for (const { path, kind, sizeBytes } of entries)
    if (kind === 'file') files.set(unpackedPath(path, format), sizeBytes);
  const unpacked = new Map([...contents].map(([path, bytes]) => [unpackedPath(path, format), bytes]));
  return { format, entries, files, contents: unpacked, ...(stopped === undefined ? {} : { stopped }) };
}

/** A file as text; undefined where it is not there, was not kept, or is not UTF-8. */
export function textOf({ contents }: MarContents, path: string): string | undefined {
  const bytes = contents.get(path);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
