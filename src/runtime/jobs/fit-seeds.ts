import { ServeOptError } from '../../errors.js';
import type { JobContext } from '../job.js';
import type { FitSeedsParams, FitSeedsResult } from '../protocol.js';
import { SIZE_PLAN_COUNT } from '../seeded-shapes.js';
import type { Feeds, ValueSpec } from '../types.js';

/** Samples that must run before a plan counts as accepted: enough to see its first sizes of every dimension. */
const TRIED_SAMPLES = 3;

/** One sample of this size is enough. */
const LARGE_SAMPLE_BYTES = 64 * 2 ** 20;

function bytesOf(feeds: Feeds): number {
  let bytes = 0;
  for (const { data } of feeds.values()) if (ArrayBuffer.isView(data)) bytes += data.byteLength;
  return bytes;
}

/**
 * Finds sizes of open dimensions that the model accepts, by trying: graphs do not say that they want 512 samples of
 * sound or a batch of 1. Use it on the original model, and its plan for every model compared with it.
 * @throws SO5006 when samples cannot be made up at all, SO2105 where the first plan takes too much memory and no other runs
 */
export async function fitSeedsJob(context: JobContext, params: FitSeedsParams): Promise<FitSeedsResult> {
  const plans = params.inputs.some(hasOpenDimension) ? SIZE_PLAN_COUNT : 1;
  let first: ServeOptError | undefined;
  for (let sizePlan = 0; sizePlan < plans; sizePlan++) {
    const refusal = await tryPlan(context, params, sizePlan);
    if (refusal === undefined) return { sizePlan };
    first ??= refusal;
  }
  // That there is no memory is no word on the sizes.
  if (first?.code === 'SO2105') throw first;
  return { sizePlan: undefined, why: first?.message ?? '' };
}

function hasOpenDimension({ shape }: ValueSpec): boolean {
  return shape === undefined || shape.some((dim) => typeof dim !== 'number' || dim < 0);
}

/** Undefined when every sample runs, else why not. */
async function tryPlan(
  context: JobContext,
  { session, inputs, seed }: FitSeedsParams,
  sizePlan: number,
): Promise<ServeOptError | undefined> {
  const reader = await context.openSamples({ kind: 'seeded', seed, count: TRIED_SAMPLES, sizePlan }, inputs);
  try {
    for (let sample = 0; sample < reader.count; sample++) {
      const feeds = await reader.read(sample, 1);
      await context.session(session).run(feeds);
      if (bytesOf(feeds) > LARGE_SAMPLE_BYTES) break;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ServeOptError) || (error.code !== 'SO5002' && error.code !== 'SO2105')) throw error;
    return error;
  }
}
