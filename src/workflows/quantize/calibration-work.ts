import type { Model } from '../../ir/model.js';
import type { ChannelShape } from '../../quantize/expose-ranges.js';
import type { QuantizationScheme } from '../../quantize/scheme.js';
import type { RangeMap } from '../../quantize/value-range.js';

/** What a calibration of a prepared model needs. */
export interface CalibrationWork {
  /** Prepared, not quantized. */
  readonly model: Model;
  /** The file that the original was read from, and the original. */
  readonly original: { readonly model: Model; readonly path: string };
  /** Tensors whose ranges are needed. */
  readonly observe: readonly string[];
  /** Tensors of which the mean square of each channel is wanted. */
  readonly channels: ReadonlyMap<string, ChannelShape> | undefined;
  /** Scheme of a tensor by its name. */
  readonly scheme: (tensor: string) => QuantizationScheme;
  /** Makes a quantized copy of the prepared model, to be tried. */
  readonly quantized: (ranges: RangeMap) => Promise<Model>;
}
