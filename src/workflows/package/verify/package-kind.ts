import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';

/** A package, by what it looks like. */
export type PackageKind =
  /** `only` is the model to load, where the path was one model's own folder. */
  | { readonly kind: 'triton'; readonly repository: string; readonly only?: string }
  /** An archive, or the folder of one that is not packed. */
  | { readonly kind: 'torchserve'; readonly path: string };

const ARCHIVE = /\.(mar|tgz|tar\.gz)$/i;
/** Triton takes folders with a whole number as versions. */
const VERSION = /^\d+$/;

/**
 * What a path holds: a Triton model repository, the folder of one of its models, or an archive for TorchServe.
 * @throws SO2001, SO2002 where it cannot be read, SO3509 where it is none of these
 */
export function packageKind(path: string): PackageKind {
  const full = resolve(path);
  if (!isFolder(full)) {
    if (ARCHIVE.test(full)) return { kind: 'torchserve', path: full };
    throw notPackage(path, 'it is a file, and its name does not end in .mar, .tgz or .tar.gz');
  }
  const names = entries(full);
  if (names.includes('MAR-INF')) return { kind: 'torchserve', path: full };
  if (isModel(full, names)) return { kind: 'triton', repository: dirname(full), only: basename(full) };
  const models = names.filter((name) => {
    const folder = join(full, name);
    return isFolder(folder) && isModel(folder, entries(folder));
  });
  if (models.length > 0) return { kind: 'triton', repository: full };
  throw notPackage(path, 'it has neither a MAR-INF nor folders with a config.pbtxt or numbered versions');
}

function isModel(folder: string, names: readonly string[]): boolean {
  return names.includes('config.pbtxt') || names.some((name) => VERSION.test(name) && isFolder(join(folder, name)));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileError(path, error);
  }
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw fileError(folder, error);
  }
}

function notPackage(path: string, why: string): ServeOptError {
  return new ServeOptError('SO3509', `"${basename(path)}" is not a package`, {
    why,
    hint: 'serve-opt package triton model.onnx -o models/ makes one',
  });
}
