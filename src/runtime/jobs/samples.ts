import { rowsOfRead } from '../../samples/sample-feeds.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import { minMax } from '../../tensor/statistics.js';
import type { JobContext } from '../job.js';
import type { InputValues, SamplesParams, SamplesResult } from '../protocol.js';

/** Opens a source, checks it against the inputs, and tells what it holds. Errors as `openDataset`, and as `rowsOfRead` for a batch. */
export async function samplesJob(
  context: JobContext,
  { source, inputs, batchSize, look }: SamplesParams,
): Promise<SamplesResult> {
  const reader = await context.openSamples(source, inputs);
  try {
    if (batchSize !== undefined) await rowsOfRead(reader, batchSize);
    return {
      count: reader.count,
      labelled: reader.labels !== undefined,
      batchable: reader.batchable,
      ...(reader.block === undefined ? {} : { block: reader.block }),
      ...(look === undefined ? {} : { values: await valuesOf(reader, Math.min(look, reader.count)) }),
    };
  } finally {
    await reader.close?.();
  }
}

async function valuesOf(reader: SampleReader, count: number): Promise<InputValues[]> {
  const values = new Map<string, InputValues>();
  const first = new Map<string, Float32Array>();
  for (let i = 0; i < count; i++) {
    const sample = Math.floor((i * reader.count) / count);
    for (const [name, { data }] of await reader.read(sample, 1)) {
      if (!(data instanceof Float32Array) || data.length === 0) continue;
      const { min, max } = minMax(data);
      const before = values.get(name) ?? { min, max, integers: true, same: true };
      const known = first.get(name) ?? data.slice();
      first.set(name, known);
      values.set(name, {
        name,
        min: Math.min(before.min, min),
        max: Math.max(before.max, max),
        integers: before.integers && data.every(Number.isInteger),
        same: before.same && data.length === known.length && data.every((value, at) => value === known[at]),
      });
    }
  }
  return [...values.values()];
}
