import type { Accumulator } from './accumulator.js';
import { type Proportion, proportion } from './proportion.js';

/** What a model says of one label, and whether it holds. */
export interface Decision {
  readonly says: boolean;
  readonly holds: boolean;
}

export interface DecisionCounts {
  readonly n: number;
  readonly right: number;
  readonly truePositive: number;
  /** Labels that the model says hold, and those that do. */
  readonly said: number;
  readonly held: number;
}

/** Counts decisions on labels of which any may hold. */
export class Decisions implements Accumulator<Decision, DecisionCounts> {
  #n = 0;
  #right = 0;
  #truePositive = 0;
  #said = 0;
  #held = 0;

  observe({ says, holds }: Decision): void {
    this.#n++;
    if (says === holds) this.#right++;
    if (says) this.#said++;
    if (holds) this.#held++;
    if (says && holds) this.#truePositive++;
  }

  merge(other: Decisions): void {
    this.#n += other.#n;
    this.#right += other.#right;
    this.#truePositive += other.#truePositive;
    this.#said += other.#said;
    this.#held += other.#held;
  }

  result(): DecisionCounts {
    return {
      n: this.#n,
      right: this.#right,
      truePositive: this.#truePositive,
      said: this.#said,
      held: this.#held,
    };
  }
}

/** Twice the right ones over all that were said or hold (van Rijsbergen). @param none where nothing was said and nothing holds */
export function f1({ truePositive, said, held }: Omit<DecisionCounts, 'n' | 'right'>, none: 0 | 1): number {
  return said + held === 0 ? none : (2 * truePositive) / (said + held);
}

/** Share of decisions that are right. */
export function accuracyOf({ right, n }: DecisionCounts): Proportion {
  return proportion(right, n);
}
