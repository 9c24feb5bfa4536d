import { ServeOptError } from '../../errors.js';
import type { JobContext } from '../job.js';
import type { FitSeedsParams, FitSeedsResult } from '../protocol.js';
import { SIZE_PLAN_COUNT } from '../seeded-shapes.js';
import type { ValueSpec } from '../types.js';

/** Samples that must run before a plan counts as accepted: enough to see its first sizes of every dimension. */
const TRIED_SAMPLES = 3;

/**
 * Finds sizes of open dimensions that the model accepts, by trying: graphs do not say that they want 512 samples of
 * sound or a batch of 1. Use it on the original model, and its plan for every model compared with it.
 * @throws SO2104, SO5006 when samples cannot be made up at all.
 */
export async function fitSeedsJob(context: JobContext, params: FitSeedsParams): Promise<FitSeedsResult> {
  const plans = params.inputs.some(hasOpenDimension) ? SIZE_PLAN_COUNT : 1;
  let why = '';
  for (let sizePlan = 0; sizePlan < plans; sizePlan++) {
    const refusal = await tryPlan(context, params, sizePlan);
    if (refusal === undefined) return { sizePlan };
    if (sizePlan === 0) why = refusal;
  }
  return { sizePlan: undefined, why };
}

function hasOpenDimension({ shape }: ValueSpec): boolean {
  return shape === undefined || shape.some((dim) => typeof dim !== 'number' || dim < 0);
}

/** Undefined when every sample runs, else what ONNX Runtime said. */
async function tryPlan(
  context: JobContext,
  { session, inputs, seed }: FitSeedsParams,
  sizePlan: number,
): Promise<string | undefined> {
  const reader = await context.openSamples({ kind: 'seeded', seed, count: TRIED_SAMPLES, sizePlan }, inputs);
  try {
    for (let sample = 0; sample < reader.count; sample++) {
      await context.session(session).run(await reader.read(sample, 1));
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code !== 'SO5002') throw error;
    return error.message;
  }
}
