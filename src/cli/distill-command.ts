import { DISTILL_DEFAULTS } from '../workflows/distill/distill-options.js';
import type { CommandDefinition } from './command-definition.js';
import { LENIENT_FLAGS } from './shared-flags.js';

/** `distill` as a row of the commands. */
export const DISTILL: CommandDefinition = {
  name: 'distill',
  summary: 'Compare students with their teacher: loss, fidelity, cost',
  group: 'Measure',
  arguments: [
    { name: 'model', summary: 'the teacher, then one or more students', path: true, optional: true, variadic: true },
  ],
  flags: [
    'data',
    'teacher-logits',
    'student-logits',
    'labels',
    'temperature',
    'alpha',
    'feature',
    'teacher-cache',
    'budget',
    'report',
    'markdown',
  ],
  moreFlags: [
    'student-data',
    'cache-top-k',
    'samples',
    'batch',
    'output-name',
    'kind',
    'scores',
    'map',
    'mask',
    'convention',
    'top-k',
    'bins',
    'resamples',
    'seed',
    'no-measure',
    'allow-inconclusive',
    'junit',
    'threads',
    'ep',
    'mem',
    ...LENIENT_FLAGS,
    'preprocess',
    'tokenizer',
    'max-length',
  ],
  overrides: {
    labels: { summary: 'labels of the logits: .npy' },
    map: { value: 'T:S', group: 'Data', summary: 'T is called S in the student' },
    'top-k': { default: DISTILL_DEFAULTS.topK, summary: 'classes for top-k figures' },
    'no-measure': { summary: 'do not measure latency and memory' },
  },
  examples: [
    { command: 'serve-opt distill teacher.onnx student.onnx --data val.npz', summary: 'the whole report' },
    { command: 'serve-opt distill t.onnx a.onnx b.onnx --data val.npz', summary: 'ranked' },
    { command: 'serve-opt distill --teacher-logits t.npy --student-logits s.npy', summary: 'no models' },
  ],
  notes: [
    'Budgets: agreement, kl, ece, accuracy, drop, size, memory, speed-up …',
    'Exit codes: 0 done or passed, 4 a budget is broken, 5 inconclusive.',
  ],
  load: () => import('./commands/distill.js'),
};
