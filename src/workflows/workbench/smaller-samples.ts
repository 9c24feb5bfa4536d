import { ServeOptError } from '../../errors.js';
import { SMALLEST_SIZE_PLAN } from '../../samples/seeded-shapes.js';
import type { SampleSource } from '../../samples/types.js';

/**
 * Calls `run` with the source, and with fewer synthetic samples where they take too much memory: later ones have larger
 * open sizes than the first, and the last to be tried has the smallest. Real samples are all wanted.
 * @param again called before another attempt: sessions keep the memory that they took once, and are to be made anew
 * @throws what `run` throws, SO2105 where the smallest sample takes too much
 */
export async function withSmallerSamples<T>(
  source: SampleSource,
  run: (source: SampleSource) => Promise<T>,
  again: () => Promise<void> = async () => {},
): Promise<T> {
  let current = source;
  let tooLarge: ServeOptError | undefined;
  for (;;) {
    try {
      return await run(current);
    } catch (error) {
      const next = smallerSamples(current);
      if (!(error instanceof ServeOptError)) throw error;
      // Sizes that the model does not take are no answer to the want of memory.
      if (error.code !== 'SO2105') throw tooLarge && error.code === 'SO5002' ? tooLarge : error;
      tooLarge = error;
      if (!next) throw error;
      current = next;
      await again();
    }
  }
}

/** Fewer samples, or the smallest one; undefined where there are none that are smaller. */
export function smallerSamples(source: SampleSource): SampleSource | undefined {
  if (source.kind !== 'seeded' || source.plan?.sizes === SMALLEST_SIZE_PLAN) return undefined;
  if (source.count > 1) return { ...source, count: source.count >> 1 };
  return { ...source, plan: { ...source.plan, sizes: SMALLEST_SIZE_PLAN } };
}

/** That not all of the synthetic samples were looked at. */
export function fewerSamples(count: number, of: number): string {
  return `Only ${count} of ${of} synthetic samples ${count === 1 ? 'was' : 'were'} compared: larger ones take more memory than --mem allows.`;
}
