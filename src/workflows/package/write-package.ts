import { StagedFolder } from '../../codec/staged-folder.js';
import type { PackagedFile } from '../../report/package-types.js';
import { checkPackagePaths, type PackageFiles } from '../../targets/package-file.js';
import type { WorkflowContext } from '../options.js';
import { FileHashes } from '../report-files.js';

export interface WritePackageOptions {
  /** Give model files a second name instead of copying them, where the file system allows that. Default false. */
  readonly link?: boolean;
}

/** A package that is on the disk but not under its name yet, and what a report says of its files. */
export interface StagedPackage {
  readonly folder: StagedFolder;
  readonly files: readonly PackagedFile[];
}

/**
 * Writes the files of a package into a hidden folder beside `path`. The caller looks at what was written, then commits.
 * @throws SO3502 for an unsafe path, SO6001; nothing is left then
 */
export async function stagePackage(
  { files, folders = [] }: PackageFiles,
  path: string,
  { link = false }: WritePackageOptions,
  { signal, onProgress }: WorkflowContext,
): Promise<StagedPackage> {
  checkPackagePaths({ files, folders });
  const folder = StagedFolder.create(path);
  const hashes = new FileHashes();
  try {
    for (const each of folders) folder.makeFolder(each);
    const written: PackagedFile[] = [];
    onProgress?.({ kind: 'start', stage: 'write', total: files.length });
    for (const [index, file] of files.entries()) {
      const shared =
        'source' in file ? await folder.addFile(file.path, file.source, { link, signal }) : writeContent(folder, file);
      const { sizeBytes, sha256 } = await hashes.file(folder.stagedPath(file.path));
      written.push({ path: file.path, sizeBytes, sha256, ...(shared ? { linked: true } : {}) });
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

function writeContent(
  folder: StagedFolder,
  file: { readonly path: string; readonly text: string } | { readonly path: string; readonly bytes: Uint8Array },
): boolean {
  folder.writeFile(file.path, 'text' in file ? file.text : file.bytes);
  return false;
}
