/** Flags of `quantize` for weights that are quantized in groups. */
export const CHECKPOINT_FLAGS = {
  block: { value: 'N', type: 'integer', min: 1, group: 'Method', summary: 'inputs that share a scale: 32, 64 or 128' },
} as const;
