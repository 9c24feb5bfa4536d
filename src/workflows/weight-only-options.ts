import type { NBits } from '../quantize/nbits/nbits-format.js';

/** Modes of `quantizeModel` that quantize weights and leave activations as they are. */
export const WEIGHT_MODES = ['int4', 'int8-weights', 'int2'] as const;
/** One of `WEIGHT_MODES`. */
export type WeightMode = (typeof WEIGHT_MODES)[number];
/** Bits of a weight in each mode. */
export const WEIGHT_MODE_BITS = { int4: 4, 'int8-weights': 8, int2: 2 } as const satisfies Record<WeightMode, NBits>;

/** How weights are quantized alone. */
export const WEIGHT_METHODS = ['rtn', 'kquant', 'hqq', 'gptq', 'awq'] as const;
/**
 * One of `WEIGHT_METHODS`: round-to-nearest as ONNX Runtime does it; the scale of least squared error; half-quadratic zero points; weights
 * that make up for each other's errors on samples; and inputs scaled by what samples activate, where the layer before can take the factors.
 */
export type WeightMethod = (typeof WEIGHT_METHODS)[number];

/** Options of `quantizeModel` for weights alone. */
export interface WeightOnlyChoices {
  /** Inputs that share a scale: 16, 32, 64, 128 or 256. Default 32. */
  readonly block?: number;
  /** Default: GPTQ with samples where it comes closer to the original, else the scale search. */
  readonly method?: WeightMethod;
  /** Zero points beside scales. Default false: ONNX Runtime's kernels for AVX2 lose accuracy with them. */
  readonly asymmetric?: boolean;
}

/** Defaults of `WeightOnlyChoices`. */
export const WEIGHT_ONLY_CHOICES = { block: 32 } as const satisfies WeightOnlyChoices;

/** Whether a mode quantizes weights alone. */
export function isWeightMode(mode: string | undefined): mode is WeightMode {
  return mode !== undefined && Object.hasOwn(WEIGHT_MODE_BITS, mode);
}
