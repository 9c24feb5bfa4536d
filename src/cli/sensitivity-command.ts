import { type CommandDefinition, MODEL } from './command-definition.js';
import { READING_FLAGS } from './data-flags.js';
import { LENIENT_FLAGS, METRIC_FLAGS, SAMPLE_FLAGS } from './shared-flags.js';

/** `sensitivity` as a row of the commands. */
export const SENSITIVITY: CommandDefinition = {
  name: 'sensitivity',
  summary: 'Rank layers by what quantizing each of them costs',
  group: 'Measure',
  arguments: [MODEL],
  flags: ['data', 'report', 'mode', 'include', 'exclude', 'samples', 'threads', 'ep'],
  moreFlags: [
    ...METRIC_FLAGS,
    ...SAMPLE_FLAGS,
    'per-tensor',
    'reduce-range',
    'operators',
    'no-optimize',
    'fix-initializers',
    'mem',
    ...LENIENT_FLAGS,
    ...READING_FLAGS,
  ],
  examples: [
    { command: 'serve-opt sensitivity model.onnx --data samples.npz', summary: 'static INT8' },
    { command: 'serve-opt sensitivity model.onnx --data x.npz --mode fp16', summary: 'half precision' },
    { command: 'serve-opt sensitivity model.onnx --data x.npz --report s.html', summary: 'with a plot' },
  ],
  notes: ['Takes about two passes over the samples; nothing is written but reports.'],
  load: () => import('./commands/sensitivity.js'),
};
