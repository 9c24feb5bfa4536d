import { basename } from 'node:path';
import { readSmallTextFile } from '../../../codec/small-file.js';
import { ServeOptError } from '../../../errors.js';
import type { ModelConfig } from '../../../proto/model-config.js';
import { MOST_NAMES_BYTES } from '../../../samples/dataset/class-names.js';
import { openDataset } from '../../../samples/dataset/open-dataset.js';
import { seededReader } from '../../../samples/seeded-reader.js';
import type { Feeds, ValueSpec } from '../../../samples/types.js';
import type { PackageFile } from '../../../targets/package-file.js';
import { LABELS_FILE, type OutputLabels, outputLabels } from '../../../targets/triton/labels.js';
import type { ServedInterface } from '../../../targets/triton/serving-facts.js';
import { warmupRequests } from '../../../targets/triton/warmup.js';
import { withSizes } from '../../preflight/input-sizes.js';
import type { PackageTritonOptions } from './triton-package-options.js';

/** Bytes of a warm-up sample. */
const MOST_SAMPLE_BYTES = 256 * 1024 * 1024;

/** Labels of an output, if any are given. @throws SO3505, SO2001, SO2002, SO2104 */
export function readLabels(
  { labelsPath, outputName }: PackageTritonOptions,
  served: ServedInterface,
  isBatched: boolean,
): OutputLabels | undefined {
  if (labelsPath === undefined) return undefined;
  const text = readSmallTextFile(labelsPath, MOST_NAMES_BYTES);
  return outputLabels(text, basename(labelsPath), served.outputs, isBatched, outputName);
}

/** The file of labels as it is packaged. */
export function labelFiles(labels: OutputLabels | undefined): PackageFile[] {
  return labels === undefined ? [] : [{ path: LABELS_FILE, text: labels.text }];
}

/** A configuration with warm-up requests, and the files of their data. */
export async function withWarmup(
  config: ModelConfig,
  served: ServedInterface,
  specs: readonly ValueSpec[],
  options: PackageTritonOptions,
): Promise<{ readonly config: ModelConfig; readonly files: readonly PackageFile[] }> {
  if (!options.warmup) return { config, files: [] };
  const inputs = new Set((config.input ?? []).map(({ name }) => name));
  // Inputs that the scheduler of sequences feeds need no data: it feeds them in a warm-up too.
  const fed = specs.filter(({ name }) => inputs.has(name));
  const feeds = await warmupSample(fed, options);
  const { requests, files } = warmupRequests(
    served.inputs.filter(({ name }) => inputs.has(name)),
    feeds,
    config.max_batch_size ?? 0,
  );
  return { config: { ...config, model_warmup: [...(config.model_warmup ?? []), ...requests] }, files };
}

async function warmupSample(
  specs: readonly ValueSpec[],
  { dataPath, dims, seed = 0, reading }: PackageTritonOptions,
): Promise<Feeds> {
  if (dataPath === undefined) {
    const inputs = dims === undefined ? specs : withSizes(specs, dims);
    return seededReader(seed, 1, inputs, { memoryBytes: MOST_SAMPLE_BYTES }).read(0, 1);
  }
  const reader = await openDataset(dataPath, specs, {
    maximumBytes: MOST_SAMPLE_BYTES,
    ...(reading ? { reading } : {}),
  });
  try {
    if (reader.count === 0) throw new ServeOptError('SO4004', `"${basename(dataPath)}" has no samples`);
    return await reader.read(0, 1);
  } finally {
    await reader.close?.();
  }
}
