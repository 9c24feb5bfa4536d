import { createHash, type Hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { ArchiveFile } from '../../codec/archive/archive-file.js';
import { tarGzStream } from '../../codec/archive/tar-writer.js';
import { zipStream } from '../../codec/archive/zip-writer.js';
import { StagedFiles } from '../../codec/atomic-file.js';
import { resolveTarget } from '../../codec/output-target.js';
import { collectingEvery } from '../../machine/collect-garbage.js';
import type { PackagedFile } from '../../report/package-types.js';
import { checkPackagePaths, type PackageFile } from '../../targets/package-file.js';
import type { WorkflowContext } from '../options.js';
import { FileHashes } from '../report-files.js';

type TextFile = Exclude<PackageFile, { readonly source: string }>;

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
export async function hashedFiles(files: readonly PackageFile[]): Promise<PackagedFile[]> {
  const hashes = new FileHashes();
  try {
    const hashed: PackagedFile[] = [];
    for (const file of files) {
      const { sizeBytes, sha256 } = 'source' in file ? await hashes.file(file.source) : hashedText(file);
      hashed.push({ path: file.path, sizeBytes, sha256 });
    }
    return hashed;
  } finally {
    await hashes.close();
  }
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
  const name = basename(target.path);
  // Compression runs in threads: this one has the time to hash what it reads and writes.
  const hashes = new Map(inArchive.map((file) => [file.path, createHash('sha256')]));
  for (const file of inArchive) if ('bytes' in file) hashes.get(file.path)?.update(file.bytes);
  const whole = createHash('sha256');
  let sizeBytes = 0;
  try {
    onProgress?.({ kind: 'start', stage: 'write', total: totalBytes });
    const collect = collectingEvery();
    let readBytes = 0;
    const onSource = (path: string, bytes: Uint8Array): void => {
      hashes.get(path)?.update(bytes);
      readBytes += bytes.byteLength;
      collect(bytes.byteLength);
      onProgress?.({ kind: 'fraction', stage: 'write', fraction: Math.min(1, readBytes / totalBytes) });
    };
    const stream =
      format === 'mar' ? zipStream(inArchive, { onSource }) : tarGzStream(inArchive, topFolder, { onSource });
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        whole.update(chunk);
        sizeBytes += chunk.byteLength;
        yield chunk;
      }
    };
    // Compression may find nothing to save.
    await staged.writeStream(name, hashed(), totalBytes, { signal });
    onProgress?.({ kind: 'end', stage: 'write', sizeBytes });
    return {
      stagedPath: staged.stagedPath(name),
      sizeBytes,
      sha256: whole.digest('hex'),
      files: inArchive.map((file) => ({
        path: file.path,
        sizeBytes: sizeOf(file),
        sha256: (hashes.get(file.path) as Hash).digest('hex'),
      })),
      commit: ({ replace }) => staged.commit({ replace }),
      discard: () => staged.discard(),
    };
  } catch (error) {
    staged.discard();
    throw error;
  }
}

function archiveFile(file: PackageFile): ArchiveFile {
  if ('source' in file) return { path: file.path, source: file.source, sizeBytes: statSync(file.source).size };
  return { path: file.path, bytes: contentOf(file) };
}

function sizeOf(file: ArchiveFile): number {
  return 'bytes' in file ? file.bytes.byteLength : file.sizeBytes;
}

function hashedText(file: TextFile): { readonly sizeBytes: number; readonly sha256: string } {
  const bytes = contentOf(file);
  return { sizeBytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function contentOf(file: TextFile): Uint8Array {
  return 'text' in file ? new TextEncoder().encode(file.text) : file.bytes;
}
