import { ServeOptError } from '../errors.js';
import { SMALLEST_SIZE_PLAN } from '../runtime/seeded-shapes.js';
import type { SampleSource } from '../runtime/types.js';

/**
 * Calls `run` with the source, and with fewer synthetic samples where they take too much memory: later ones have larger
 * open sizes than the first, and the last to be tried has the smallest. Real samples are all wanted.
 * @throws what `run` throws, SO2105 where the smallest sample takes too much
 */
export async function withSmallerSamples<T>(
  source: SampleSource,
  run: (source: SampleSource) => Promise<T>,
): Promise<T> {
  let current = source;
  let tooLarge: ServeOptError | undefined;
  for (;;) {
    try {
      return await run(current);
    } catch (error) {
      const next = smaller(current);
      if (!(error instanceof ServeOptError)) throw error;
      // Sizes that the model does not take are no answer to the want of memory.
      if (error.code !== 'SO2105') throw tooLarge && error.code === 'SO5002' ? tooLarge : error;
      tooLarge = error;
      if (!next) throw error;
      current = next;
    }
  }
}

function smaller(source: SampleSource): SampleSource | undefined {
  if (source.kind !== 'seeded' || source.plan?.sizes === SMALLEST_SIZE_PLAN) return undefined;
  if (source.count > 1) return { ...source, count: source.count >> 1 };
  return { ...source, plan: { ...source.plan, sizes: SMALLEST_SIZE_PLAN } };
}
