import { statSync } from 'node:fs';
import { StagedFolder } from '../../codec/staged-folder.js';
import { ServeOptError } from '../../errors.js';
import type { PackagedFile } from '../../report/package-types.js';
import { checkPackagePaths, type PackageFile, type PackageFiles } from '../../targets/package-file.js';
import { hashedSize } from '../file-hash.js';
import type { WorkflowContext } from '../options.js';
import { FileHashes } from '../report-files.js';

export interface WritePackageOptions {
  /** Give model files a second name instead of copying them, where the file system allows that. Default false. */
  readonly link?: boolean;
}

/** Where a package is prepared. */
export interface StagingPlace {
  /** Folder for the hidden one, on the file system of the package; default the parent of the package. */
  readonly parent?: string;
}

/** Files above this are not hashed: a copy that the system makes takes no longer than that. */
export const HASHED_BYTES = 256 * 1024 * 1024;

/** A package that is on the disk but not under its name yet, and what a report says of its files. */
export interface StagedPackage {
  readonly folder: StagedFolder;
  readonly files: readonly PackagedFile[];
}

/**
 * Writes the files of a package into a hidden folder beside `path`. The caller looks at what was written, then commits. Files
 * up to 256 MiB are hashed while they are copied; memory does not grow with their size.
 * @throws SO3502 for an unsafe path, SO6001; nothing is left then
 */
export async function stagePackage(
  { files, folders = [] }: PackageFiles,
  path: string,
  { link = false, parent }: WritePackageOptions & StagingPlace,
  { signal, onProgress }: WorkflowContext,
): Promise<StagedPackage> {
  checkPackagePaths({ files, folders });
  const folder = StagedFolder.create(path, parent);
  const hashes = new FileHashes();
  try {
    for (const each of folders) folder.makeFolder(each);
    const written: PackagedFile[] = [];
    onProgress?.({ kind: 'start', stage: 'write', total: files.length });
    for (const [index, file] of files.entries()) {
      written.push(await stageFile(folder, file, link, hashes, signal));
      onProgress?.({ kind: 'advance', stage: 'write', done: index + 1 });
    }
    onProgress?.({ kind: 'end', stage: 'write', sizeBytes: written.reduce((sum, each) => sum + each.sizeBytes, 0) });
    return { folder, files: written };
  } catch (error) {
    folder.discard();
    throw error;
  } finally {
    await hashes.close();
  }
}

async function stageFile(
  folder: StagedFolder,
  file: PackageFile,
  link: boolean,
  hashes: FileHashes,
  signal: AbortSignal | undefined,
): Promise<PackagedFile> {
  if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
  const staged = folder.stagedPath(file.path);
  if (!('source' in file)) {
    folder.writeFile(file.path, 'text' in file ? file.text : file.bytes);
    const { sizeBytes, sha256 } = await hashes.file(staged);
    return { path: file.path, sizeBytes, sha256 };
  }
  const isHashed = hashedSize(file.source) <= HASHED_BYTES;
  // Read beside the copy, so that one of them finds it in the cache of the system.
  if (isHashed) hashes.begin(file.source);
  const isLinked = await folder.addFile(file.path, file.source, { link, signal });
  const hash = isHashed ? { sha256: (await hashes.file(file.source)).sha256 } : {};
  const sizeBytes = hashedSize(file.source);
  if (statSync(staged).size !== sizeBytes) {
    throw new ServeOptError('SO2008', `"${file.source}" changed while it was copied`, {
      location: { file: file.source },
    });
  }
  return { path: file.path, sizeBytes, ...hash, ...(isLinked ? { linked: true } : {}) };
}
