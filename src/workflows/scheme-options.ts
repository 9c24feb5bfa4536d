/** Options that say how `quantizeModel` makes integers: where they will run, and what differs from that. */
import type { PlaceName, QuantizedFormat } from '../quantize/place-names.js';
import { PLACE_NAMES } from '../quantize/place-names.js';
import type { SchemeChoicesOfModel, SchemeOverride } from '../quantize/scheme-choices.js';

/** Where a quantized model will run. */
export const QUANTIZE_PLACES = PLACE_NAMES;
/** One of `QUANTIZE_PLACES`. */
export type QuantizePlace = PlaceName;

export interface SchemeOptions {
  /** Where the result will run. */
  readonly for?: QuantizePlace;
  /** Static INT8: schemes of the whole model and of parts of it, in place of those of the place. */
  readonly schemes?: SchemeChoicesOfModel;
  /** File of such schemes, YAML or JSON. */
  readonly schemePath?: string;
  /** Static INT8: schemes of single nodes and tensors; they win over those of `schemes` and `schemePath`. */
  readonly overrides?: readonly SchemeOverride[];
  /** Static INT8 as quantize–dequantize pairs (default) or as operators on integers, where there are some. */
  readonly format?: QuantizedFormat;
  /** One scale for a whole weight instead of one for each output channel. */
  readonly perTensor?: boolean;
  /** 7-bit weights, for CPUs whose 8-bit multiply saturates (x86 without VNNI). */
  readonly reduceRange?: boolean;
}
