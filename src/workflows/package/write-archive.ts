import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { ArchiveFile } from '../../codec/archive/archive-file.js';
import { tarGzStream } from '../../codec/archive/tar-writer.js';
import { zipStream } from '../../codec/archive/zip-writer.js';
import { StagedFiles } from '../../codec/atomic-file.js';
import { resolveTarget } from '../../codec/output-target.js';
import type { PackagedFile } from '../../report/package-types.js';
import { checkPackagePaths, type PackageFile } from '../../targets/package-file.js';
import type { WorkflowContext } from '../options.js';
import { FileHashes } from '../report-files.js';

/** An archive that is on the disk but not under its name yet. */
export interface StagedArchive {
  /** Where it is now. */
  readonly stagedPath: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly files: readonly PackagedFile[];
  /** @throws SO1005, SO6001 */
  commit(options: { readonly replace: boolean }): void;
  /** Removes it without a trace, unless committed. */
  discard(): void;
}

/** The files of a package with sizes and hashes, without writing any. Large files are hashed in a thread of their own. */
export async function hashedFiles(files: readonly PackageFile[], hashes: FileHashes): Promise<PackagedFile[]> {
  const hashed: PackagedFile[] = [];
  for (const file of files) {
    if ('source' in file) {
      const { sizeBytes, sha256 } = await hashes.file(file.source);
      hashed.push({ path: file.path, sizeBytes, sha256 });
    } else {
      const bytes = contentOf(file);
      hashed.push({
        path: file.path,
        sizeBytes: bytes.byteLength,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
    }
  }
  return hashed;
}

/**
 * Writes files as one archive into a hidden folder beside `path`: streamed, so that memory does not grow with the files.
 * The caller looks at what was written, then commits.
 * @param topFolder that all files of a tar archive are in
 * @throws SO3502 for an unsafe path, SO3515, SO6001; nothing is left then
 */
export async function stageArchive(
  files: readonly PackageFile[],
  path: string,
  { format, topFolder }: { readonly format: 'mar' | 'tgz'; readonly topFolder: string },
  { signal, onProgress }: WorkflowContext,
): Promise<StagedArchive> {
  checkPackagePaths({ files });
  const inArchive = files.map(archiveFile);
  const totalBytes = inArchive.reduce((sum, file) => sum + sizeOf(file), 0);
  const target = resolveTarget(path);
  const staged = StagedFiles.create(target.path, path);
  const hashes = new FileHashes();
  const name = basename(target.path);
  try {
    onProgress?.({ kind: 'start', stage: 'write', total: totalBytes });
    let readBytes = 0;
    const onSourceBytes = (bytes: number): void => {
      readBytes += bytes;
      onProgress?.({ kind: 'fraction', stage: 'write', fraction: Math.min(1, readBytes / totalBytes) });
    };
    for (const file of files) if ('source' in file) hashes.begin(file.source);
    const stream =
      format === 'mar' ? zipStream(inArchive, { onSourceBytes }) : tarGzStream(inArchive, topFolder, { onSourceBytes });
    // Compression may find nothing to save.
    await staged.writeStream(name, stream, totalBytes, { signal });
    const archive = await hashes.file(staged.stagedPath(name));
    const packaged = await hashedFiles(files, hashes);
    onProgress?.({ kind: 'end', stage: 'write', sizeBytes: archive.sizeBytes });
    return {
      stagedPath: staged.stagedPath(name),
      sizeBytes: archive.sizeBytes,
      sha256: archive.sha256,
      files: packaged,
      commit: ({ replace }) => staged.commit({ replace }),
      discard: () => staged.discard(),
    };
  } catch (error) {
    staged.discard();
    throw error;
  } finally {
    await hashes.close();
  }
}

function archiveFile(file: PackageFile): ArchiveFile {
  if ('source' in file) return { path: file.path, source: file.source, sizeBytes: statSync(file.source).size };
  return { path: file.path, bytes: contentOf(file) };
}

function sizeOf(file: ArchiveFile): number {
  return 'bytes' in file ? file.bytes.byteLength : file.sizeBytes;
}

function contentOf(file: Exclude<PackageFile, { readonly source: string }>): Uint8Array {
  return 'text' in file ? new TextEncoder().encode(file.text) : file.bytes;
}
