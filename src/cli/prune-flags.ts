import { UNIT_SCORES } from '../prune/score-names.js';
import { PRUNE_ALLOCATIONS, PRUNE_DEFAULTS, PRUNE_METHODS } from '../workflows/options.js';
import { WEIGHT_METHODS } from '../workflows/weight-only-options.js';

/** Flags of `prune`. */
export const PRUNE_FLAGS = {
  method: {
    value: 'NAME',
    choices: [...PRUNE_METHODS, ...WEIGHT_METHODS],
    group: 'Method',
    summary: 'structured, layers, obs …',
  },
  amount: { value: 'N', group: 'Method', summary: `share of each group or layer: 0.3; or a number` },
  'target-macs': { value: 'SHARE', group: 'Method', summary: 'multiply-adds to leave: 0.5x' },
  'target-params': { value: 'SHARE', group: 'Method', summary: 'parameters to leave: 0.5x' },
  'target-latency': { value: 'N', group: 'Method', summary: 'speed to reach here: 1.5x, or 10ms' },
  allocation: {
    value: 'NAME',
    choices: PRUNE_ALLOCATIONS,
    group: 'Method',
    summary: 'how it is spread: uniform, sensitivity …',
  },
  steps: {
    value: 'N',
    type: 'integer',
    default: PRUNE_DEFAULTS.steps,
    group: 'Method',
    summary: 'cut, repair and score anew so often',
  },
  global: { group: 'Method', summary: 'weigh all groups or layers against each other' },
  pattern: { value: 'N:M', group: 'Method', summary: 'keep N of every M inputs of an output: 2:4' },
  score: {
    value: 'NAME',
    choices: UNIT_SCORES,
    group: 'Method',
    summary: 'importance: activation (with data), l2 …',
  },
  align: {
    value: 'N',
    default: PRUNE_DEFAULTS.align,
    group: 'Method',
    summary: 'keep multiples of this, as kernels like',
  },
  zeros: { group: 'Output', summary: 'count zeros, find N:M patterns' },
  'through-normalization': { group: 'Method', summary: 'also cut axes that are normalized over' },
} as const;

/** What `--method` means to `prune`, which shares it with `quantize`. */
export const PRUNE_METHOD_FLAG = {
  method: { choices: PRUNE_METHODS, default: PRUNE_DEFAULTS.method, summary: 'structured, layers, obs …' },
} as const;
