/** Commands with options of their own; the rules name them as the command line does. */
export type RuledCommand =
  | 'sensitivity'
  | 'inspect'
  | 'compare'
  | 'bench'
  | 'quantize'
  | 'optimize'
  | 'prune'
  | 'tensorrt'
  | 'distill';

/**
 * What goes together and what does not. An option is written as on the command line: `--data` for one that is given at all,
 * `--mode fp16` for one that has this value, `--budget drop` for a budget of this metric.
 */
export interface OptionRule {
  /** The commands it holds for; absent for every one. */
  readonly commands?: readonly RuledCommand[];
  /** It holds for each of these. */
  readonly options: readonly string[];
  /** It does not hold beside this. */
  readonly unless?: string;
  /** Refused beside any of these. */
  readonly excludes?: readonly string[];
  /** Refused unless this is given. */
  readonly needs?: string;
  /** Nothing comes of it beside all of these: a warning. */
  readonly idleWith?: readonly string[];
  /** Nothing comes of it without any of these: a warning. Beside `idleWith`, both have to be so. */
  readonly idleWithout?: readonly string[];
  readonly why?: string;
  readonly hint?: string;
}

/** Why options of running are idle. */
export const BY_RUNNING = 'the result does not run';
