import { constants } from 'node:fs';
import { copyFile, link, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileError, systemCode, temporaryError } from '../codec/system-error.js';
import { makeTemporaryFolder, removeTemporaryFolder, TEMPORARY_STEM } from '../codec/temporary-folder.js';

/** A folder for models that exist only to be run. */
export interface WorkFolder {
  readonly path: string;
  /**
   * Makes a file available under `name` (default: its own) and gives its new path: a hard link, so that weights are
   * not copied, or a copy where links do not reach (another file system, a file of another user). ONNX Runtime
   * accepts external data only in the model's own folder, and refuses symbolic links.
   */
  add(file: string, name?: string): Promise<string>;
}

/** A work folder for as long as its owner wants it. */
export interface OpenWorkFolder extends WorkFolder {
  /** Removes it with all it holds. May be called more than once. */
  remove(): Promise<void>;
}

export interface WorkFolderOptions {
  /** Folder to make it in; default the system's. One on the model's file system lets links work. */
  readonly parent?: string;
}

/**
 * Makes an empty private folder, `serve-opt-work.….tmp`. Only a killed process leaves one behind, until the next one sweeps it.
 * @throws SO6001 when the folder or a file cannot be made, SO2001 for a file that is not there
 */
export async function openWorkFolder(options: WorkFolderOptions = {}): Promise<OpenWorkFolder> {
  const path = await makeFolder(options.parent ?? tmpdir());
  return {
    path,
    add: (file, name = basename(file)) => addFile(file, join(path, name)),
    remove: async () => removeTemporaryFolder(path),
  };
}

/**
 * Makes sure, before work is done that needs one, that a work folder can be made: by making one, since permissions alone do
 * not tell of full or read-only disks. @throws SO6001 with the way out
 */
export async function checkWorkFolder(): Promise<void> {
  await (await openWorkFolder()).remove();
}

/** Calls `use` with a work folder, and removes it however that ends. Errors as `openWorkFolder`. */
export async function withWorkFolder<T>(
  use: (folder: WorkFolder) => Promise<T>,
  options: WorkFolderOptions = {},
): Promise<T> {
  const folder = await openWorkFolder(options);
  try {
    return await use(folder);
  } finally {
    await folder.remove();
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    // The real path: ONNX Runtime compares paths when it looks whether external data stays inside.
    return makeTemporaryFolder(await realpath(parent), TEMPORARY_STEM);
  } catch (error) {
    throw temporaryError(parent, error);
  }
}

async function addFile(file: string, target: string): Promise<string> {
  let source: string;
  try {
    // A hard link to a symbolic link would be that link again.
    source = await realpath(file);
  } catch (error) {
    throw fileError(file, error);
  }
  try {
    await link(source, target).catch(() =>
      copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL),
    );
    return target;
  } catch (error) {
    // What is missing is the file, not the folder: that was made by this process.
    throw systemCode(error) === 'ENOENT' ? fileError(file, error) : temporaryError(dirname(dirname(target)), error);
  }
}
