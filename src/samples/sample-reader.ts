import type { Feeds, HostTensor, SampleSource, ValueSpec } from './types.js';

/** Samples of a data set or of a seed, read in order or by range. */
export interface SampleReader {
  /** Number of samples. */
  readonly count: number;
  /** Labels of all samples, the first dimension being `count`; undefined where the data has none. */
  readonly labels: HostTensor | undefined;
  /** True when samples have equal shapes and `read` may be asked for more than one at a time. */
  readonly batchable: boolean;
  /**
   * Samples that every run takes, where the model has a fixed batch size of more than one. `read` then gives so many whatever
   * is asked for: what is missing is the last one again, and callers cut it off the outputs.
   */
  readonly block?: number;
  /** What was left out of the data or guessed, one sentence each. */
  readonly warnings?: readonly string[];
  /** Names in the data that are neither an input nor labels. */
  readonly unused?: readonly string[];
  /**
   * Samples `start` to `start + count - 1` stacked along the first dimension of each input. `count` is 1 unless `batchable`, and
   * at most `block` where that is given.
   */
  read(start: number, count: number): Promise<Feeds> | Feeds;
  /** Frees files and buffers; absent when there is nothing to free. */
  close?(): Promise<void> | void;
}

/** Whoever can open samples. */
export interface SampleOpener {
  /** Opens a source; `inputs` are the model's, and the reader gives a tensor for each. The caller closes it. */
  openSamples(source: SampleSource, inputs: readonly ValueSpec[]): Promise<SampleReader>;
}
