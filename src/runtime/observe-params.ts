import type { SampleSource, ValueSpec } from '../samples/types.js';

/** What jobs that observe a model on samples share. */
export interface ObserveParams {
  readonly session: number;
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  /** Samples a run, where the source and the model's input shapes allow more than one. */
  readonly batchSize: number;
  /** Fewer where their inputs take more bytes than this: what is computed of large inputs is larger still. Default: no limit. */
  readonly mostInputBytes?: number;
}
