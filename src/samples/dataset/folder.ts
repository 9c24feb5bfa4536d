import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileError } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';
import type { ValueSpec } from '../types.js';
import { fileRange } from './byte-range.js';
import { LABEL_NAMES } from './labels.js';
import { fileStem, labelsBeside, readNpyFile } from './npy-file.js';
import { readNpz } from './npz-file.js';
import { isTestDataFolder, readTestDataFolder } from './onnx-test-data.js';
import type { Shard, ShardList } from './shard.js';
import { npyArray, type ReadLimits } from './source-array.js';

/** A folder with more files than this is refused. */
const MAXIMUM_FILES = 100_000;
const byNumber = new Intl.Collator('en', { numeric: true });

/** File and folder names of a folder, `sample2` before `sample10`. */
export function sortedNames(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (cause) {
    throw fileError(path, cause);
  }
  if (names.length > MAXIMUM_FILES)
    throw new ServeOptError(
      'SO2104',
      `"${basename(path)}" contains ${names.length} files; the limit is ${MAXIMUM_FILES}`,
    );
  return names.sort((a, b) => byNumber.compare(a, b) || (a < b ? -1 : 1));
}

/** Whether a folder has arrays or ONNX test data, by the names in it. */
export function hasArrays(path: string): boolean {
  const names = sortedNames(path);
  return isTestDataFolder(names) || names.some((name) => /\.np[yz]$/i.test(name) || /^test_data_set_\d+$/.test(name));
}

/**
 * The data set in a folder. In this order: ONNX test data (`test_data_set_*` or `input_*.pb`), .npz archives one after
 * the other, .npy files (one for each input, or for a model with one input one for each sample).
 * @throws SO4001 when the folder holds none of them.
 */
export async function readFolder(path: string, inputs: readonly ValueSpec[], limits: ReadLimits): Promise<ShardList> {
  const folder = basename(path);
  const names = sortedNames(path);
  if (isTestDataFolder(names)) return { shards: [readTestDataFolder(path, folder, inputs, names)], warnings: [] };
  const sets = names.filter((name) => /^test_data_set_\d+$/.test(name));
  if (sets.length > 0) {
    const shards = sets.map((name) =>
      readTestDataFolder(join(path, name), name, inputs, sortedNames(join(path, name))),
    );
    return { shards, warnings: [] };
  }
  const archives = names.filter((name) => /\.npz$/i.test(name));
  if (archives.length > 0) return readArchives(path, archives, limits);
  const arrays = names.filter((name) => /\.npy$/i.test(name));
  if (arrays.length > 0) return { shards: readArrays(path, folder, arrays, inputs, limits), warnings: [] };
  const kinds = [...new Set(names.map((name) => /\.[^.]*$/.exec(name)?.[0] ?? name))].slice(0, 10);
  throw new ServeOptError('SO4001', `The folder "${folder}" has no readable samples`, {
    why: `it contains ${names.length === 0 ? 'no files' : kinds.join(', ')}; supported are .npz, .npy, ONNX test data and images`,
    hint: 'give the path of the .jsonl or .csv file',
  });
}

async function readArchives(path: string, names: readonly string[], limits: ReadLimits): Promise<ShardList> {
  const shards: Shard[] = [];
  const warnings: string[] = [];
  const labels = labelsBeside(path, [''], limits);
  for (const name of names) {
    const content = await readNpz(join(path, name), limits);
    shards.push({ label: name, arrays: content.arrays });
    warnings.push(...content.warnings);
  }
  const [only] = shards;
  if (labels && only && shards.length === 1) return { shards: [{ ...only, labels }], warnings };
  if (labels) warnings.push(`"${labels.label}" is ignored: the archives contain labels themselves`);
  return { shards, warnings };
}

function readArrays(
  path: string,
  folder: string,
  files: readonly string[],
  inputs: readonly ValueSpec[],
  limits: ReadLimits,
): Shard[] {
  const samples = files.filter((name) => !LABEL_NAMES.some((label) => name.toLowerCase() === `${label}.npy`));
  const ofInput = (file: string) =>
    inputs.some(({ name }) => file === `${fileStem(name)}.npy` || file.endsWith(`_${fileStem(name)}.npy`));
  const named = samples.filter(ofInput);
  const [input] = inputs;
  if (inputs.length === 1 && input && (named.length === 0 || samples.length > 1 + countLabelFiles(samples))) {
    const shards = samples.map((name): Shard => {
      const array = npyArray(input.name, fileRange(join(path, name), name), limits);
      return { label: name, arrays: [array] };
    });
    const labels = labelsBeside(path, [''], limits);
    return labels ? withRowLabels(shards, labels) : shards;
  }
  const first = named[0] ?? samples[0];
  if (first === undefined) throw new ServeOptError('SO4004', `The folder "${folder}" has labels but no samples`);
  return [readNpyFile(join(path, first), inputs, inputs.length === 1 ? inputs[0]?.name : undefined, limits)];
}

function countLabelFiles(names: readonly string[]): number {
  return names.filter((name) => /_labels?\.npy$/i.test(name)).length;
}

/** One file a sample, with the labels of all of them in one array: row i belongs to file i. */
function withRowLabels(shards: readonly Shard[], labels: NonNullable<Shard['labels']>): Shard[] {
  const [rows, ...rest] = labels.dims;
  if (rows !== shards.length)
    throw new ServeOptError('SO4005', `There are ${rows ?? 1} labels for ${shards.length} files (${labels.label})`);
  let width = 1;
  for (const dim of rest) width *= dim;
  return shards.map((shard, i) => ({
    ...shard,
    labels: {
      ...labels,
      dims: [1, ...rest],
      read: (start: number, count: number) => labels.read(i * width + start, count),
    },
  }));
}
