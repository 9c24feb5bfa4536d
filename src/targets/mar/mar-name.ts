import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';

/** Names that TorchServe's archiver takes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const LONGEST = 100;

/** A name for TorchServe from a file name: without its extension, other characters replaced. */
export function marName(path: string): string {
  const stem = basename(path).replace(/\.onnx$/i, '');
  const name = stem.replace(/[^\w.-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'model' : name.slice(0, LONGEST);
}

/** @throws SO1006 for a name that TorchServe's tools refuse */
export function checkMarName(name: string): void {
  if (NAME.test(name) && name.length <= LONGEST && !name.includes('..')) return;
  throw new ServeOptError('SO1006', `The value "${name.slice(0, 100)}" of --name is not allowed`, {
    why: `a name has letters, digits, "_", "-" and ".", begins with a letter or digit, and has at most ${LONGEST} characters`,
    hint: `add --name ${marName(name)}`,
  });
}

/** @throws SO1006 for a version that cannot stand in a URL */
export function checkMarVersion(version: string): void {
  if (VERSION.test(version) && version.length <= LONGEST) return;
  throw new ServeOptError('SO1006', `The value "${version.slice(0, 100)}" of --version is not allowed`, {
    why: 'it becomes a part of URLs: letters, digits, "_", "-" and "."',
    hint: 'add --version 1.0',
  });
}
