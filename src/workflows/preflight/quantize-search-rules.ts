import type { OptionRule } from './option-rule.js';

/** What goes with the goals of a search of `quantize`. */
export const QUANTIZE_SEARCH_RULES: readonly OptionRule[] = [
  {
    commands: ['quantize'],
    options: ['--max-drop'],
    excludes: ['--max-loss', '--budget drop'],
    why: 'both limit the drop of the metric',
    hint: 'leave --max-loss and --budget drop out: --max-drop implies them',
  },
  {
    commands: ['quantize'],
    options: ['--max-drop', '--min-speedup'],
    excludes: ['--no-verify'],
    why: 'the result does not run',
  },
  {
    commands: ['quantize'],
    options: ['--allow-slower'],
    idleWith: ['--no-verify'],
    why: 'a result that does not run is not timed',
  },
];
