import { accessSync, constants, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { undoInterrupted } from '../../../codec/moved-together.js';
import { readSmallFile } from '../../../codec/small-file.js';
import { fileError } from '../../../codec/system-error.js';
import { sweepTemporaryFolders } from '../../../codec/temporary-folder.js';
import { ServeOptError } from '../../../errors.js';
import { MODEL_CONFIG, type ModelConfig } from '../../../proto/model-config.js';
import { MAX_TEXT_BYTES, parseText } from '../../../proto/text-format.js';

/** A model repository, and what is in it of one model. */
export interface RepositoryState {
  /** The folder of models, links followed where it exists. */
  readonly path: string;
  readonly exists: boolean;
  /** The folder of the model. */
  readonly modelPath: string;
  readonly modelExists: boolean;
  /** Versions of the model, smallest first. */
  readonly versions: readonly number[];
  /** Folder for hidden folders: beside the repository where that is one file system, as a server takes every folder in it for a model. */
  readonly stagingParent: string;
}

/** Undoes what a process that was killed has half changed in a repository, before anything is decided by what stands there. */
export function recoverRepository(given: string): void {
  if (!statSync(given, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = stagingParent(realpathSync(given));
  undoInterrupted(parent);
  sweepTemporaryFolders(parent, '.');
}

/** Looks at a repository. @throws SO3502 for links and for names that differ in capital letters, SO6001 where the path is no folder */
export function lookAtRepository(given: string, name: string): RepositoryState {
  const found = statSync(given, { throwIfNoEntry: false });
  if (found === undefined) {
    const isLink = lstatSync(given, { throwIfNoEntry: false }) !== undefined;
    if (isLink) throw unsafe(given, 'it is a link that leads nowhere');
    const parent = dirname(given);
    return {
      path: given,
      exists: false,
      modelPath: join(given, name),
      modelExists: false,
      versions: [],
      stagingParent: parent,
    };
  }
  if (!found.isDirectory()) {
    throw new ServeOptError('SO6001', `Cannot write into "${given}": it is a file, not a folder`, {
      hint: 'give the folder of the repository: -o models/',
    });
  }
  const path = realpathSync(given);
  const entries = readdirSync(path);
  const twin = entries.find((entry) => entry !== name && fold(entry) === fold(name));
  if (twin !== undefined)
    throw unsafe(
      name,
      `the repository has "${twin}", which is the same folder on a system that ignores capital letters`,
    );
  const modelPath = join(path, name);
  const model = lstatSync(modelPath, { throwIfNoEntry: false });
  if (model?.isSymbolicLink()) throw unsafe(name, 'it is a symbolic link in the repository');
  if (model !== undefined && !model.isDirectory()) throw unsafe(name, 'it is a file in the repository, not a folder');
  return {
    path,
    exists: true,
    modelPath,
    modelExists: model !== undefined,
    versions: model === undefined ? [] : versionsIn(modelPath),
    stagingParent: stagingParent(path),
  };
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function unsafe(path: string, why: string): ServeOptError {
  return new ServeOptError('SO3502', `The package cannot have the path "${path}": ${why}`);
}

/** Numbers of versions as Triton reads them: folders whose names are positive whole numbers without leading zeros. */
export function versionsIn(modelPath: string): number[] {
  return readdirSync(modelPath)
    .filter(
      (entry) => /^[1-9]\d*$/.test(entry) && statSync(join(modelPath, entry), { throwIfNoEntry: false })?.isDirectory(),
    )
    .map(Number)
    .sort((a, b) => a - b);
}

function stagingParent(path: string): string {
  const parent = dirname(path);
  try {
    // A volume is a file system of its own, and a rename does not leave it.
    if (parent !== path && statSync(parent).dev === statSync(path).dev) {
      accessSync(parent, constants.W_OK | constants.X_OK);
      return parent;
    }
  } catch {
    // It cannot be written to: the repository itself will do.
  }
  return path;
}

/** A configuration that stands in a repository. */
export interface StoredConfig {
  readonly text: string;
  /** Undefined where it cannot be parsed. */
  readonly config: ModelConfig | undefined;
  /** Why, with its place. */
  readonly problem?: string;
}

/** Reads `config.pbtxt` of a model; undefined where there is none. @throws SO2001, SO2002, SO2104 where it cannot be read */
export function readConfig(modelPath: string): StoredConfig | undefined {
  const path = join(modelPath, 'config.pbtxt');
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readSmallFile(path, MAX_TEXT_BYTES);
  } catch (cause) {
    throw cause instanceof ServeOptError ? cause : fileError(path, cause);
  }
  const text = Buffer.from(bytes).toString('utf8');
  const parsed = parseText(MODEL_CONFIG, 'ModelConfig', bytes);
  if (parsed.ok) return { text, config: parsed.message };
  const [problem] = parsed.problems;
  return {
    text,
    config: undefined,
    problem: problem === undefined ? 'it cannot be read' : `line ${problem.line}:${problem.column}: ${problem.message}`,
  };
}

/** Names of the models of a repository, sorted. */
export function modelNames(repository: string): string[] {
  return readdirSync(repository)
    .filter(
      (entry) => !entry.startsWith('.') && statSync(join(repository, entry), { throwIfNoEntry: false })?.isDirectory(),
    )
    .sort();
}
