import { bug, ServeOptError } from '../../errors.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { HostTensor } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { ObserveParams } from '../observe-params.js';

type Outputs = Map<string, HostTensor>;

/**
 * Runs every sample once and hands the outputs to `take`; gives the number of samples. Samples go in batches where the
 * source allows; a model that turns out to have its batch size built in gets them one by one.
 */
export async function streamSamples(
  context: JobContext,
  params: ObserveParams,
  fetches: readonly string[],
  progress: ReportProgress,
  take: (outputs: Outputs) => void,
): Promise<number> {
  const session = context.session(params.session);
  const reader = await context.openSamples(params.source, params.inputs);
  try {
    const least = reader.block ?? 1;
    let size = reader.batchable ? Math.max(1, params.batchSize) : least;
    if (size > least && params.mostInputBytes !== undefined) {
      const bytes = tensorBytes(await reader.read(0, least)) / least;
      size = Math.max(least, Math.min(size, Math.floor(params.mostInputBytes / Math.max(1, bytes))));
    }
    for (let done = 0; done < reader.count; ) {
      const count = Math.min(size, reader.count - done);
      try {
        take(await session.run(await reader.read(done, count), fetches));
      } catch (error) {
        if (size === least || !(error instanceof ServeOptError) || !/^SO(5002|2105)$/.test(error.code)) throw error;
        size = least;
        continue;
      }
      done += count;
      progress({ done, total: reader.count });
    }
    return reader.count;
  } finally {
    await reader.close?.();
  }
}

/** An output that the caller has made. */
export function outputOf(outputs: ReadonlyMap<string, HostTensor>, name: string): HostTensor {
  const tensor = outputs.get(name);
  if (!tensor) throw bug(`the augmented model gave no output "${name}"`);
  return tensor;
}
