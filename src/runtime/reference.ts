import type { Feeds, HostTensor } from '../samples/types.js';

/** Inputs that the reference ran on, and what it gave. Lives in the child process between jobs. */
export interface Reference {
  readonly runs: readonly ReferenceRun[];
}

export interface ReferenceRun {
  /** To go after "on": `sample 2`, `inputs of zeros`. */
  readonly label: string;
  readonly edge: boolean;
  readonly exactOnly: boolean;
  readonly extreme: boolean;
  readonly feeds: Feeds;
  readonly outputs: ReadonlyMap<string, HostTensor>;
  /** What the reference gave when ONNX Runtime optimized it. */
  noisy: ReadonlyMap<string, HostTensor>;
  /** True where it does not run when ONNX Runtime optimizes it: then results need not, either. */
  failsOptimized: boolean;
}
