import { WEIGHT_MODES } from './weight-only-options.js';

/** What `quantizeModel` may make of a model; `auto` is `static` with samples and `dynamic` without. */
export const QUANTIZE_MODES = ['auto', 'static', 'dynamic', 'fp16', 'bf16', 'fp8', ...WEIGHT_MODES] as const;
/** One of `QUANTIZE_MODES`. */
export type QuantizeMode = (typeof QUANTIZE_MODES)[number];
