/** Flags of `quantize` that say what its search aims at. */
export const QUANTIZE_SEARCH_FLAGS = {
  'max-drop': { value: 'SHARE', group: 'Gates', summary: 'keep layers in FP32 until it drops no more: 0.5%' },
  'max-size': { value: 'SIZE', group: 'Gates', summary: 'largest file: 5MB' },
  'min-speedup': { value: 'N', group: 'Gates', summary: 'least speed-up over the original: 1.5x' },
  'allow-slower': { group: 'Gates', summary: 'ort-cpu: keep INT8 that is slower here' },
} as const;
