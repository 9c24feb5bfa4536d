import { QUANTIZE_DEFAULTS, REPAIR_EFFORTS } from '../workflows/options.js';
import { CHECKPOINT_FLAGS } from './checkpoint-flags.js';

/** Flags of `quantize` alone. */
export const QUANTIZE_FLAGS = {
  ...CHECKPOINT_FLAGS,
  effort: {
    value: 'NAME',
    choices: REPAIR_EFFORTS,
    default: QUANTIZE_DEFAULTS.effort,
    group: 'Method',
    summary: 'work on repairing INT8: low, medium, high',
  },
} as const;
