import { QUANTIZED_FORMATS } from '../quantize/place-names.js';
import { MAR_DEFAULTS, MAR_FORMATS } from '../targets/mar/mar-options.js';
import { NUMBER_LIMITS } from '../workflows/limits.js';

/** Rows of `FLAGS` that `package mar` has. */
export const MAR_FLAGS = {
  format: {
    value: 'FORMAT',
    // Each command narrows them to its own.
    choices: [...MAR_FORMATS, ...QUANTIZED_FORMATS],
    group: 'Output',
    summary: 'mar (zip), tgz or folder; default by -o',
  },
  pixels: {
    value: 'KEY=VALUE',
    repeatable: true,
    group: 'Method',
    summary: 'images: size=224x224, mean=…, std=…',
  },
  'top-k': {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS['top-k'],
    group: 'Method',
    summary: 'classes in a response; default 5 with --labels',
  },
  softmax: { group: 'Method', summary: 'turn scores of classes into probabilities' },
  workers: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.workers,
    default: MAR_DEFAULTS.workers,
    group: 'Server',
    summary: 'worker processes, each with a session',
  },
  'response-timeout': {
    value: 'TIME',
    default: `${MAR_DEFAULTS.responseTimeoutSeconds}s`,
    group: 'Server',
    summary: 'time limit of a batch',
  },
  'startup-timeout': {
    value: 'TIME',
    default: `${MAR_DEFAULTS.startupTimeoutSeconds}s`,
    group: 'Server',
    summary: 'time limit to load the model',
  },
} as const;
