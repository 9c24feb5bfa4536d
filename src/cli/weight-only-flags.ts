import { WEIGHT_METHODS } from '../workflows/weight-only-options.js';

/** Flags of `quantize` for weights that are quantized in blocks. */
export const WEIGHT_ONLY_FLAGS = {
  block: { value: 'N', type: 'integer', min: 1, group: 'Method', summary: 'inputs that share a scale: 16, 32 … 256' },
  asymmetric: { group: 'Method', summary: 'weights alone: zero points beside scales' },
} as const;

/** What `--method` means to `quantize`, which shares it with `prune`. */
export const WEIGHT_METHOD_FLAG = {
  method: { choices: WEIGHT_METHODS, default: undefined, summary: 'weights alone: rtn, kquant, hqq, gptq, awq' },
} as const;
