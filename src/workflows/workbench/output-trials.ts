import type { OutputDifference } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../samples/types.js';
import { Failure } from './failure.js';
import { type TrialOptions, type TrialOriginal, withTrials } from './trials.js';

/** What a changed model is held against. */
export interface OutputTrialSetting {
  readonly original: TrialOriginal;
  readonly source: SampleSource;
  /** At most so many samples. */
  readonly samples: number;
  readonly options: TrialOptions;
}

/**
 * How far the outputs of a changed model are from those of the original: noise over signal, Σ(a − b)² / Σa², of the output that
 * lost most; 0 where nothing changed, Infinity where the model does not run or its outputs cannot be compared.
 */
export type OutputTrial = (changed: Model) => Promise<number>;

/** Trials of which one number each is wanted, to rank what was changed: no labels are needed. */
export function withOutputTrials<T>(
  runtime: LazyRuntime,
  { original, source, samples, options }: OutputTrialSetting,
  use: (trial: OutputTrial) => Promise<T>,
): Promise<T> {
  const limited: SampleSource =
    source.kind === 'data' ? { ...source, count: Math.min(source.count ?? samples, samples) } : source;
  return withTrials(runtime, original, options, async (trials) => {
    const kept = await trials.on(limited);
    return use(async (changed) => {
      const result = await kept.score(changed);
      return result instanceof Failure ? Number.POSITIVE_INFINITY : noiseOf(result.outputs);
    });
  });
}

/** Noise over signal of the output that lost most. */
export function noiseOf(differences: readonly OutputDifference[]): number {
  let most = 0;
  for (const { random, sqnrDb, exactEqual, shapeMismatches, incomparable, nonFinite } of differences) {
    if (random) continue;
    if (incomparable !== undefined || shapeMismatches > 0 || nonFinite.lost > 0) return Number.POSITIVE_INFINITY;
    if (sqnrDb !== undefined) most = Math.max(most, 10 ** (-sqnrDb / 10));
    else if (!Number.isNaN(exactEqual)) most = Math.max(most, 1 - exactEqual);
  }
  return most;
}
