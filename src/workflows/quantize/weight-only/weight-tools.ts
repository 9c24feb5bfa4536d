import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../../samples/types.js';
import type { InContext, QuantizeOptions } from '../../options.js';
import type { Stages } from '../../stages.js';

/** What weights are quantized with beside the model. */
export interface WeightTools {
  readonly options: InContext<QuantizeOptions>;
  readonly stages: Stages;
  /** Absent where nothing is to be run. */
  readonly runtime: LazyRuntime | undefined;
  /** Samples to fit to. */
  readonly fitted: SampleSource | undefined;
}
