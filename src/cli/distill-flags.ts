import { CONVENTION_NAMES } from '../evaluate/distill/conventions.js';
import { DISTILL_KINDS } from '../evaluate/distill/distill-result.js';
import { DISTILL_DEFAULTS, SCORE_FORMS } from '../workflows/distill/distill-options.js';
import { NUMBER_LIMITS } from '../workflows/limits.js';

/** Rows of `FLAGS` that only `distill` has so far. */
export const DISTILL_FLAGS = {
  'student-data': {
    value: 'PATH',
    path: true,
    repeatable: true,
    group: 'Data',
    summary: 'samples of the students, same order',
  },
  'teacher-logits': { value: 'PATH', path: true, group: 'Data', summary: 'logits of the teacher: .npy, no model' },
  'student-logits': {
    value: 'PATH',
    path: true,
    repeatable: true,
    group: 'Data',
    summary: 'logits of a student, in the same order',
  },
  feature: { value: 'T:S', repeatable: true, group: 'Data', summary: 'compare tensor T with tensor S too' },
  mask: { value: 'NAME', group: 'Data', summary: 'array that is 0 where a token does not count' },
  scores: {
    value: 'FORM',
    choices: SCORE_FORMS,
    default: DISTILL_DEFAULTS.scores,
    group: 'Data',
    summary: 'auto, logits or probabilities',
  },
  kind: {
    value: 'KIND',
    choices: DISTILL_KINDS,
    group: 'Data',
    summary: 'what the output is: classes, regression …',
  },
  temperature: {
    value: 'LIST',
    default: DISTILL_DEFAULTS.temperatures.join(','),
    group: 'Method',
    summary: 'temperatures of the loss',
  },
  alpha: {
    value: 'LIST',
    default: DISTILL_DEFAULTS.alphas.join(','),
    group: 'Method',
    summary: 'weights of the loss of labels, 0 to 1',
  },
  convention: {
    value: 'NAME',
    choices: CONVENTION_NAMES,
    repeatable: true,
    group: 'Method',
    summary: 'loss as a library scales it: deit …',
  },
  bins: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.bins,
    default: DISTILL_DEFAULTS.bins,
    group: 'Method',
    summary: 'bins of calibration',
  },
  resamples: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.resamples,
    default: DISTILL_DEFAULTS.resamples,
    group: 'Method',
    summary: 'bootstrap resamples; 0 for none',
  },
  'teacher-cache': {
    value: 'DIR',
    path: true,
    group: 'Run',
    summary: 'keep outputs of models here, for the next run',
  },
  'cache-top-k': {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS['cache-top-k'],
    group: 'Run',
    summary: 'keep N classes a row, and their tail',
  },
} as const;
