/** Models that are packaged for real servers: those of the folder of models, and small ones of every shape of interface. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { openDataset } from '../../src/samples/dataset/open-dataset.js';
import type { SampleReader } from '../../src/samples/sample-reader.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { Feeds } from '../../src/samples/types.js';
import { inputSpecs } from '../../src/samples/value-specs.js';
import { modelsFolder } from '../helpers/models-folder.js';
import { writeSharedModels } from './refusals/shared-models.js';

export interface PackagedModel {
  readonly name: string;
  readonly path: string;
  /** Options of `package triton`. */
  readonly options: readonly string[];
}

/** Small models of `refusals/shared-models.ts`, with what is special about each. */
const SMALL: readonly (readonly [model: string, name: string, ...options: string[]])[] = [
  ['batched', 'open-batch'],
  ['batched', 'no-batching', '--max-batch', '0'],
  ['batched', 'one-row', '--max-batch', '1'],
  ['batched', 'name.with-dots_and-dashes.v1'],
  ['batched', 'priorities', '--priority', '2:1', '--queue-timeout', '500ms', '--max-delay', '2ms'],
  ['batched', 'warm', '--warmup'],
  ['batched', 'preferred', '--max-batch', '16', '--preferred', '4,8', '--max-delay', '20ms', '--instances', '1'],
  ['batched', 'threads', '--threads', 'intra=1,inter=1', '--optimization', 'basic'],
  ['batched', 'set-field', '--set', 'optimization.input_pinned_memory.enable=false'],
  ['fixed', 'fixed-batch'],
  ['single', 'batch-of-one'],
  ['row', 'no-batch'],
  ['open', 'open-length'],
  ['cube', 'two-dimensions'],
  ['vector', 'rank-one'],
  ['scalar', 'rank-zero-input'],
  ['total', 'rank-zero-output'],
  ['summed', 'output-without-batch'],
  ['pair', 'two-inputs'],
  ['tokens', 'three-inputs'],
  ['labelled', 'two-outputs'],
  ['image', 'open-image'],
  ['text', 'strings'],
  ['half', 'half-precision'],
  ['double', 'double-precision'],
  ['boolean', 'booleans'],
  ['external', 'external-data'],
  ['optional', 'default-of-input'],
];

/** Models that no Triton can serve, and what the refusal must name. */
export const UNSERVABLE: readonly (readonly [model: string, named: RegExp])[] = [
  ['sequence', /Y/],
  ['float8', /X/],
];

/** Writes the small models into `folder`. */
export async function smallModels(folder: string, root: string): Promise<PackagedModel[]> {
  await writeSharedModels(folder, root);
  return SMALL.map(([model, name, ...options]) => ({ name, path: join(folder, `${model}.onnx`), options }));
}

/** Every model of the folder of models, named for its folder and file; none where there is no such folder. */
export function realModels(root: string): PackagedModel[] {
  const parent = modelsFolder(root);
  if (parent === undefined) return [];
  return readdirSync(parent)
    .sort()
    .flatMap((folder) => {
      const files = readdirSync(join(parent, folder)).filter((file) => file.endsWith('.onnx'));
      return files.sort().map((file) => {
        const name = `${folder}.${basename(file, '.onnx')}`;
        return { name, path: join(parent, folder, file), options: [] };
      });
    });
}

/** Real samples beside a model. */
export function samplesBeside(path: string): string | undefined {
  const data = join(dirname(path), 'calib.npz');
  return existsSync(data) ? data : undefined;
}

/** The first samples for a model, one by one: of a data set, or made up, in equal shapes, where it has none. */
export async function firstSamples(path: string, data: string | undefined, count: number): Promise<Feeds[]> {
  const model = await readModel(path);
  const specs = inputSpecs(model);
  model.close();
  const reader: SampleReader =
    data === undefined ? seededReader(3, count, specs, { sameShapes: true }) : await openDataset(data, specs);
  try {
    return await Promise.all(Array.from({ length: count }, (_, index) => reader.read(index, 1)));
  } finally {
    await reader.close?.();
  }
}
