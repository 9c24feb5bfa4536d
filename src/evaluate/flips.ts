import { binomialAtMost } from '../bench/binomial.js';
import type { Accumulator } from './accumulator.js';

/** Whether each model is right about a row. */
export interface RightPair {
  readonly teacher: boolean;
  readonly student: boolean;
}

export interface FlipsResult {
  readonly bothRight: number;
  readonly bothWrong: number;
  /** Right with the teacher, wrong with the student. */
  readonly lost: number;
  /** Wrong with the teacher, right with the student. */
  readonly gained: number;
  /** Exact two-sided p-value of McNemar's test: the chance that flips are split so unevenly where neither model is better. */
  readonly mcnemarP: number;
}

/** Counts of what each model has right. */
export class Flips implements Accumulator<RightPair, FlipsResult> {
  #bothRight = 0;
  #bothWrong = 0;
  #lost = 0;
  #gained = 0;

  observe({ teacher, student }: RightPair): void {
    if (teacher && student) this.#bothRight++;
    else if (teacher) this.#lost++;
    else if (student) this.#gained++;
    else this.#bothWrong++;
  }

  merge(other: Flips): void {
    this.#bothRight += other.#bothRight;
    this.#bothWrong += other.#bothWrong;
    this.#lost += other.#lost;
    this.#gained += other.#gained;
  }

  result(): FlipsResult {
    const [lost, gained] = [this.#lost, this.#gained];
    return {
      bothRight: this.#bothRight,
      bothWrong: this.#bothWrong,
      lost,
      gained,
      mcnemarP: mcnemarP(lost, gained),
    };
  }
}

/** Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12 (1947). */
export function mcnemarP(lost: number, gained: number): number {
  return Math.min(1, 2 * binomialAtMost(Math.min(lost, gained), lost + gained, 0.5));
}
