import type { OptionRule } from './option-rule.js';

/** How data is read, where there is data. */
export const READING_RULES: readonly OptionRule[] = [
  {
    commands: ['compare', 'bench', 'quantize', 'optimize', 'prune', 'sensitivity'],
    options: ['--preprocess', '--tokenizer', '--max-length', '--labels'],
    idleWithout: ['--data', '--eval'],
    why: 'synthetic inputs are made without files',
  },
  {
    commands: ['compare', 'bench', 'quantize', 'optimize', 'prune', 'sensitivity', 'distill'],
    options: ['--preprocess'],
    excludes: ['--tokenizer'],
    why: 'one is for images, the other for texts',
    hint: 'leave one of them out',
  },
];
