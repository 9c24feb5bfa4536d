/**
 * A metric that is added up over samples, in any order and in any number of parts: `merge` of two parts gives what one
 * accumulator of all their samples would have, up to rounding in double precision.
 */
export interface Accumulator<Observation, Result> {
  /** Adds one observation. */
  observe(observation: Observation): void;
  /** Adds everything that another accumulator of the same kind and options has observed. */
  merge(other: this): void;
  /** What was observed so far; more may be observed afterwards. */
  result(): Result;
}
