import type { RequestOptions, RuntimeHost } from '../../runtime/host.js';
import { sizedInputs } from '../../samples/sized-inputs.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';

/** Synthetic samples where there is no data: enough to vary every open dimension. */
export const SEEDED_SAMPLES = 8;

/**
 * Synthetic samples in sizes that the model of `session` accepts; a sentence when it accepts none. Data is given back as
 * it is.
 */
export async function fitSource(
  runtime: RuntimeHost,
  session: number,
  inputs: readonly ValueSpec[],
  source: SampleSource,
  options: RequestOptions = {},
): Promise<SampleSource | string> {
  if (source.kind === 'data') return source;
  const { seed, count, dims, sameShapes = false } = source;
  const sized = sizedInputs(inputs, dims);
  const { plan, why } = await runtime.request('fitSeeds', { session, inputs: sized, seed, count, sameShapes }, options);
  if (plan !== undefined) return { ...source, plan };
  return `the original does not run on any synthetic input (${why ?? 'no reason given'})`;
}
