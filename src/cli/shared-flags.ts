/** Flags that several commands have, in the order in which help lists them. */
import type { FlagName } from './flags.js';

/** Of commands that make a model. */
export const RESULT_FLAGS = ['output', 'force', 'dry-run', 'report'] as const satisfies readonly FlagName[];

/** How labelled samples are scored. */
export const METRIC_FLAGS = ['metric', 'output-name'] as const satisfies readonly FlagName[];

/** What a result is held to, beside budgets, and where the verdicts are written for CI. */
export const GATE_FLAGS = [
  'max-loss',
  'min-sqnr',
  'allow-inconclusive',
  'junit',
  'markdown',
] as const satisfies readonly FlagName[];

/** What a model is run on. */
export const SAMPLE_FLAGS = ['batch', 'dim', 'seed'] as const satisfies readonly FlagName[];

/** What is read although it is not as it should be. */
export const LENIENT_FLAGS = ['allow-links', 'allow-invalid'] as const satisfies readonly FlagName[];
