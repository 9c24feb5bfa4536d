import { binomialAtMost } from '../../bench/binomial.js';
import type { Accumulator } from '../accumulator.js';
import { type Proportion, proportion } from '../proportion.js';
import { equalParts, sortedPlaces } from './calibration.js';

/** What both models predict for a row, and how sure the teacher is. */
export interface PredictionPair {
  readonly teacher: number;
  readonly student: number;
  readonly confidence: number;
}

/** Agreement among rows of like confidence. */
export interface ConfidenceDecile {
  readonly low: number;
  readonly high: number;
  readonly agreement: Proportion;
}

export interface AgreementResult {
  readonly top1: Proportion;
  /** Agreement beyond chance: (observed - expected) / (1 - expected); 1 where both predict one class throughout. */
  readonly kappa: number;
  /** Tenths of the rows by the confidence of the teacher, the least sure first; fewer where there are few rows. */
  readonly deciles: readonly ConfidenceDecile[];
}

const DECILES = 10;

/** How often two models predict the same class. Source of kappa: J. Cohen, "A coefficient of agreement for nominal scales", 1960. */
export class Agreement implements Accumulator<PredictionPair, AgreementResult> {
  readonly #teacher: Map<number, number> = new Map();
  readonly #student: Map<number, number> = new Map();
  readonly #confidence: number[] = [];
  readonly #same: boolean[] = [];
  #agreeing = 0;

  observe({ teacher, student, confidence }: PredictionPair): void {
    raise(this.#teacher, teacher, 1);
    raise(this.#student, student, 1);
    const same = teacher === student;
    if (same) this.#agreeing++;
    this.#confidence.push(confidence);
    this.#same.push(same);
  }

  merge(other: Agreement): void {
    for (const [label, count] of other.#teacher) raise(this.#teacher, label, count);
    for (const [label, count] of other.#student) raise(this.#student, label, count);
    for (const [i, confidence] of other.#confidence.entries()) {
      this.#confidence.push(confidence);
      this.#same.push(other.#same[i] === true);
    }
    this.#agreeing += other.#agreeing;
  }

  result(): AgreementResult {
    const n = this.#same.length;
    let expected = 0;
    for (const [label, count] of this.#teacher) expected += (count / n) * ((this.#student.get(label) ?? 0) / n);
    const observed = this.#agreeing / n;
    return {
      top1: proportion(this.#agreeing, n),
      kappa: expected === 1 ? 1 : (observed - expected) / (1 - expected),
      deciles: this.#deciles(),
    };
  }

  #deciles(): ConfidenceDecile[] {
    const n = this.#same.length;
    if (n === 0) return [];
    const order = sortedPlaces(this.#confidence, (i) => (this.#same[i] ? 1 : 0));
    return equalParts(n, Math.min(DECILES, n)).map(([start, end]) => {
      let same = 0;
      for (let i = start; i < end; i++) if (this.#same[order[i] as number]) same++;
      return {
        low: this.#confidence[order[start] as number] as number,
        high: this.#confidence[order[end - 1] as number] as number,
        agreement: proportion(same, end - start),
      };
    });
  }
}

function raise(counts: Map<number, number>, label: number, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}

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
