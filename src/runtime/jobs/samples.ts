import type { JobContext } from '../job.js';
import type { SamplesParams, SamplesResult } from '../protocol.js';

/** Opens a source, checks it against the inputs, and tells what it holds. Errors as `openDataset`. */
export async function samplesJob(context: JobContext, { source, inputs }: SamplesParams): Promise<SamplesResult> {
  const reader = await context.openSamples(source, inputs);
  try {
    return { count: reader.count, labelled: reader.labels !== undefined, batchable: reader.batchable };
  } finally {
    await reader.close?.();
  }
}
