import type { JobContext } from '../job.js';
import type { SamplesParams, SamplesResult } from '../protocol.js';
import { rowsOfRead } from './sample-feeds.js';

/** Opens a source, checks it against the inputs, and tells what it holds. Errors as `openDataset`, and as `rowsOfRead` for a batch. */
export async function samplesJob(
  context: JobContext,
  { source, inputs, batchSize }: SamplesParams,
): Promise<SamplesResult> {
  const reader = await context.openSamples(source, inputs);
  try {
    if (batchSize !== undefined) await rowsOfRead(reader, batchSize);
    return { count: reader.count, labelled: reader.labels !== undefined, batchable: reader.batchable };
  } finally {
    await reader.close?.();
  }
}
