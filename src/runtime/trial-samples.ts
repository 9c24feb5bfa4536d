import type { Feeds, HostTensor } from '../samples/types.js';
import type { ComparisonParams } from './comparison-sums.js';

/** Samples and what the original gave on them. Lives in the child process between jobs. */
export interface TrialSamples {
  /** How outputs of candidates are held against those of the original. */
  readonly params: ComparisonParams;
  /** Samples that were kept. */
  readonly count: number;
  /** Samples of a run. */
  readonly step: number;
  readonly labels: HostTensor | undefined;
  readonly warnings: readonly string[];
  /** Outputs of the original that can be fetched. */
  readonly outputNames: readonly string[];
  readonly runs: readonly TrialRun[];
}

/** One run of the original. */
export interface TrialRun {
  readonly start: number;
  readonly count: number;
  /** Samples that were fed: more than `count` where a run was filled up. */
  readonly size: number;
  readonly feeds: Feeds;
  readonly outputs: ReadonlyMap<string, HostTensor>;
}
