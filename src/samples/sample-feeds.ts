import { ServeOptError } from '../errors.js';
import { dataTypeName } from '../tensor/dtype.js';
import type { SampleOpener, SampleReader } from './sample-reader.js';
import { tensorBytes } from './tensor-bytes.js';
import type { Feeds, SampleSource, ValueSpec } from './types.js';

/** Different samples in turn, so that one odd sample does not stand for all. */
const MOST_SAMPLES = 8;
/** Samples are kept ready, so large ones are fewer: they count as memory of the model otherwise. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What a measurement feeds. */
export interface FeedsParams {
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  readonly batchSize: number;
}

/**
 * A few samples to run in turn. Synthetic ones all have the shape of the first: a mixture of shapes makes no honest
 * latency. Samples of a data set are stacked to batches.
 * @throws SO4002 where samples do not stack, are too few for a batch, or contradict a size that was chosen.
 */
export async function sampleFeeds(opener: SampleOpener, params: FeedsParams): Promise<Feeds[]> {
  const { source, inputs, batchSize } = params;
  const made = source.kind === 'seeded';
  const reader = await opener.openSamples(made ? { ...source, sameShapes: true } : source, inputs);
  try {
    const rows = made ? 1 : await rowsOfRead(reader, batchSize);
    const count = Math.min(Math.max(1, Math.floor(reader.count / rows)), MOST_SAMPLES);
    const feeds: Feeds[] = [];
    let bytes = 0;
    for (let i = 0; i < count && bytes < MOST_BYTES; i++) {
      const sample = await reader.read(i * rows, Math.min(rows, reader.count - i * rows));
      checkSizes(sample, inputs);
      feeds.push(sample);
      bytes += tensorBytes(sample);
    }
    return feeds;
  } finally {
    await reader.close?.();
  }
}

/**
 * Samples to read at once for a run of `batchSize` rows.
 * @throws SO4002 where they do not stack, or are too few
 */
export async function rowsOfRead(reader: SampleReader, batchSize: number): Promise<number> {
  const rows = stackedRows(reader, batchSize);
  if (reader.count >= rows || reader.block !== undefined) return rows;
  throw new ServeOptError('SO4002', `A batch of ${batchSize} needs ${rows} samples, but the data has ${reader.count}`, {
    hint: 'use a smaller batch or more samples; without data, synthetic inputs work with any batch size',
  });
}

function stackedRows(reader: SampleReader, batchSize: number): number {
  if (reader.block !== undefined && (batchSize === 1 || batchSize === reader.block)) return reader.block;
  if (batchSize === 1 || reader.batchable) return batchSize;
  throw new ServeOptError('SO4002', `The samples cannot be stacked to batches of ${batchSize}`, {
    why: 'They differ in shape, or an input of the model has no open first dimension',
    hint: 'measure with a batch size of 1, or give samples of one shape',
  });
}

/** @throws SO4002 naming the input and both shapes */
function checkSizes(feeds: Feeds, inputs: readonly ValueSpec[]): void {
  for (const { name, shape } of inputs) {
    const tensor = feeds.get(name);
    if (!tensor || !shape) continue;
    const fits =
      shape.length === tensor.dims.length &&
      shape.every((dim, axis) => typeof dim !== 'number' || dim < 0 || dim === tensor.dims[axis]);
    if (fits) continue;
    const type = dataTypeName(tensor.dataType);
    const chosen = shape.map((dim) => dim ?? '?').join(',');
    throw new ServeOptError(
      'SO4002',
      `The input "${name}" should be ${type}[${chosen}], but a sample of the data is ${type}[${tensor.dims.join(',')}]`,
    );
  }
}

/** Whether all samples have the shapes of the first. */
export function sameShapes(feeds: readonly Feeds[]): boolean {
  const text = (sample: Feeds): string => [...sample.values()].map(({ dims }) => dims.join(',')).join(';');
  return feeds.every((sample) => text(sample) === text(feeds[0] as Feeds));
}
