import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ValueSpec } from '../types.js';
import { fileRange } from './byte-range.js';
import { LABEL_NAMES } from './labels.js';
import type { Shard } from './shard.js';
import { npyArray, type ReadLimits, type SourceArray } from './source-array.js';

/** An input name as part of a file name: what no file system takes becomes `_`. */
export function fileStem(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}

function open(path: string, name: string, limits: ReadLimits): SourceArray {
  return npyArray(name, fileRange(path, basename(path)), limits);
}

/** Labels beside data: the first of `<stem>_labels.npy` for each stem given; an empty stem stands for `labels.npy`. */
export function labelsBeside(folder: string, stems: readonly string[], limits: ReadLimits): SourceArray | undefined {
  const names = stems.flatMap((stem) => LABEL_NAMES.map((label) => (stem === '' ? label : `${stem}_${label}`)));
  for (const name of names.map((stem) => `${stem}.npy`)) {
    const path = join(folder, name);
    if (existsSync(path)) return open(path, 'labels', limits);
  }
  return undefined;
}

/**
 * The data set that one .npy file belongs to. `calib_X.npy` (or `X.npy`) of a model with an input `X` brings the files of
 * the other inputs and the labels named alike (`calib_Y.npy`, `calib_labels.npy`); any other name is the array of the
 * model's only input, or of its token numbers.
 * @param only the name of that input, where there is one
 */
export function readNpyFile(
  path: string,
  inputs: readonly ValueSpec[],
  only: string | undefined,
  limits: ReadLimits,
): Shard {
  const file = basename(path);
  const stem = file.replace(/\.npy$/i, '');
  const folder = dirname(path);
  // The longest name wins, so that `calib_input_ids.npy` is not taken for an input `ids`.
  const named = inputs
    .filter(({ name }) => stem === fileStem(name) || stem.endsWith(`_${fileStem(name)}`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!named) {
    return shard(file, [open(path, only ?? stem, limits)], labelsBeside(folder, [stem, ''], limits));
  }
  const prefix = stem.slice(0, stem.length - fileStem(named.name).length);
  const arrays = [open(path, named.name, limits)];
  for (const { name } of inputs) {
    if (name === named.name) continue;
    const other = join(folder, `${prefix}${fileStem(name)}.npy`);
    if (existsSync(other)) arrays.push(open(other, name, limits));
  }
  const stems = prefix === '' ? [stem, ''] : [stem, prefix.slice(0, -1), ''];
  return shard(file, arrays, labelsBeside(folder, stems, limits));
}

function shard(label: string, arrays: readonly SourceArray[], labels: SourceArray | undefined): Shard {
  return labels ? { label, arrays, labels } : { label, arrays };
}
