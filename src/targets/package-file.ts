import { ServeOptError } from '../errors.js';

/**
 * One file of a package, at `path` inside of it: relative, with slashes. Its content is a text, bytes, or an existing file,
 * which is copied (or linked) and never loaded.
 */
export type PackageFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly source: string };

/** What a target makes of a model: files, in the order in which they are written. */
export interface PackageFiles {
  readonly files: readonly PackageFile[];
  /** Folders that must exist although nothing is in them, such as the version folder of a Triton ensemble. */
  readonly folders?: readonly string[];
}

/** Bytes of a name that every file system takes. */
const LONGEST_NAME = 255;

/** Names that Windows keeps for devices, with and without an extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;

/**
 * Refuses paths that could lead out of a package, that some system cannot have, and two that are one path on a system that
 * ignores capital letters: before anything is written.
 * @throws SO3502 naming the path and what is wrong with it
 */
export function checkPackagePaths({ files, folders = [] }: PackageFiles): void {
  const seen = new Map<string, string>();
  for (const path of [...files.map((file) => file.path), ...folders]) {
    const why = whyUnsafePath(path);
    if (why !== undefined) throw unsafe(path, why);
    const folded = path.normalize('NFC').toLowerCase();
    const twin = seen.get(folded);
    if (twin !== undefined) {
      throw unsafe(path, twin === path ? 'it is there twice' : `it differs from "${twin}" in capital letters only`);
    }
    seen.set(folded, path);
  }
}

/** Why a relative path is not safe in a package or an archive on every system; undefined for one that is. */
export function whyUnsafePath(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.includes('\0')) return 'it has a NUL character';
  if (path.includes('\\')) return 'it has a backslash';
  if (path.startsWith('/')) return 'it is absolute';
  if (/^[A-Za-z]:/.test(path)) return 'it names a drive';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'it has a control character';
  for (const part of path.split('/')) {
    if (part === '') return 'it has an empty part';
    if (part === '..') return 'it leaves the package with ".."';
    if (part === '.') return 'it has a part "."';
    if (DEVICE.test(part)) return `"${part}" is the name of a device on Windows`;
    if (Buffer.byteLength(part) > LONGEST_NAME) return 'a part of it is longer than 255 bytes';
  }
  return undefined;
}

function unsafe(path: string, why: string): ServeOptError {
  return new ServeOptError('SO3502', `The package cannot have the path "${path.slice(0, 200)}": ${why}`);
}
