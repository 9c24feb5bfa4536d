/** Models that are too large, or not free enough, for this repository: a folder of folders, each with models and samples. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder that the environment variable MODELS names; else `shared/models`, in the repository or beside it. Undefined where
 * there is none.
 *
 * @throws Error when MODELS names no folder
 */
export function modelsFolder(root: string): string | undefined {
  const { MODELS } = process.env;
  if (MODELS) {
    if (!isFolder(MODELS)) throw new Error(`MODELS names ${MODELS}, which is no folder`);
    return MODELS;
  }
  return [join(root, 'shared', 'models'), join(root, '..', 'shared', 'models')].find(isFolder);
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

export interface KnownModel {
  /** Path inside `fixtures/` or the folder of models. */
  readonly model: string;
  readonly sourceSha256: string;
}

/**
 * Where a known model stands: among the fixtures, else in the folder of models. Undefined where there is no such folder.
 *
 * @throws Error when the folder is there and the model is not, or is another one than what was expected
 */
export function findKnownModel(root: string, { model, sourceSha256 }: KnownModel): string | undefined {
  const folder = modelsFolder(root);
  const paths = [join(root, 'fixtures'), ...(folder === undefined ? [] : [folder])].map((parent) =>
    join(parent, model),
  );
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    if (folder === undefined) return undefined;
    throw new Error(`${folder} has no ${model}`);
  }
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found === sourceSha256) return path;
  throw new Error(`${path} has the SHA-256 ${found}, not ${sourceSha256}: make the expected values anew`);
}
