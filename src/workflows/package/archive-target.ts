import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { MarFormat } from '../../targets/mar/mar-options.js';

/** Where an archive goes, and how it is stored. */
export interface ArchiveTarget {
  readonly path: string;
  readonly format: MarFormat;
}

/** Endings by which TorchServe tells formats apart: anything but .mar is a compressed tar file. */
const ENDINGS = { mar: '.mar', tgz: '.tar.gz', folder: '' } as const satisfies Record<MarFormat, string>;

/**
 * The output of `package mar`. Without a path it is beside the model; in a folder that exists it is named for the model;
 * without a format, the ending tells.
 * @throws SO1006 for an ending of another format
 */
export function archiveTarget(
  modelPath: string,
  name: string,
  given: string | undefined,
  format: MarFormat | undefined,
): ArchiveTarget {
  const told = given === undefined ? undefined : endingFormat(given);
  if (given === undefined || (told === undefined && isFolder(given))) {
    const folder = given ?? dirname(modelPath);
    return { path: join(folder, `${name}${ENDINGS[format ?? 'mar']}`), format: format ?? 'mar' };
  }
  if (format === undefined) {
    if (told !== undefined) return { path: given, format: told };
    throw wrong(given, 'its ending does not tell the format, and it is no folder that exists', `write -o ${name}.mar`);
  }
  if (format === 'folder' ? told === undefined : told === format) return { path: given, format };
  const right = format === 'folder' ? `-o ${name}` : `-o ${name}${ENDINGS[format]}`;
  throw wrong(given, `TorchServe tells archives apart by their endings, and --format is ${format}`, `write ${right}`);
}

function endingFormat(path: string): MarFormat | undefined {
  if (/\.mar$/i.test(path)) return path.endsWith('.mar') ? 'mar' : undefined;
  return /\.(tar\.gz|tgz)$/i.test(path) ? 'tgz' : undefined;
}

function isFolder(path: string): boolean {
  return path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function wrong(path: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${path}" of -o is not allowed`, { why, hint });
}
