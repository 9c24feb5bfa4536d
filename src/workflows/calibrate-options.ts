import type { ObserverName } from '../quantize/observers/observer-names.js';
import type { QuantizationScheme } from '../quantize/scheme.js';
import type { ExecutionOptions, MemoryOptions } from './options.js';

/** Options of `calibrate`. */
export interface CalibrateOptions extends MemoryOptions, ExecutionOptions {
  /** Tensors to observe; default those that static quantization of this model needs, with the power of channels where it looks at that. */
  readonly tensors?: readonly string[];
  /** Samples a run, where the model and the data allow it. Default 1. */
  readonly batch?: number;
  /** What chooses ranges. Default `minmax`. */
  readonly observer?: ObserverName;
  /** Keep the statistics of tensors, from which any observer chooses a range; they are kept for every observer but `minmax`. */
  readonly statistics?: boolean;
  /** Scheme that ranges are chosen for. Default `U8_ACTIVATIONS`. */
  readonly activations?: QuantizationScheme;
}

/** Defaults of `calibrate`. */
export const CALIBRATE_DEFAULTS = {
  batch: 1,
  observer: 'minmax',
} as const satisfies CalibrateOptions;
