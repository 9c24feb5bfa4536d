import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../samples/types.js';
import type { Stages } from '../stages.js';
import type { TrialOriginal } from '../workbench/trials.js';

/** What measurements need; absent where nothing may be run. */
export interface MeasuringTools {
  readonly runtime: LazyRuntime;
  /** The model as it was read, and its file. */
  readonly original: TrialOriginal;
  /** Samples that trials run on: those of the data, else synthetic ones. */
  readonly source: SampleSource;
  readonly hasData: boolean;
  readonly stages: Stages;
  /** What the child may take, in bytes. */
  readonly memoryBytes: number;
}
