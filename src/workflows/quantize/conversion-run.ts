import type { InContext, QuantizeOptions } from '../options.js';
import type { ModelRun } from '../produce/model-run.js';

/** What a conversion needs of the run that it is part of. */
export interface ConversionRun
  extends Pick<ModelRun, 'model' | 'path' | 'outputPath' | 'stages' | 'memoryBytes' | 'onClose'> {
  readonly options: InContext<QuantizeOptions>;
}
