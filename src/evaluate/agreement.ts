import type { Accumulator } from './accumulator.js';
import { type Proportion, proportion } from './proportion.js';

/** What two models predict for the same row: a class, or -1 of a row that has no largest score, which agrees with none. */
export interface PredictedPair {
  readonly a: number;
  readonly b: number;
}

export interface AgreementFigures {
  readonly top1: Proportion;
  /** Agreement beyond chance: (observed - expected) / (1 - expected); 1 where both predict one class throughout. */
  readonly kappa: number;
  /** Classes that A predicts several times and B never, those of most rows first. */
  readonly lost: readonly LostClass[];
}

/** A class that only one of two models still predicts. */
export interface LostClass {
  readonly label: number;
  /** Rows for which A predicts it. */
  readonly rows: number;
}

/** A class that A predicts less often may be missing from B by chance. */
const LEAST_ROWS = 4;

/** How often two models predict the same class. Source of kappa: J. Cohen, "A coefficient of agreement for nominal scales", 1960. */
export class Agreement implements Accumulator<PredictedPair, AgreementFigures> {
  readonly #a: Map<number, number> = new Map();
  readonly #b: Map<number, number> = new Map();
  #agreeing = 0;
  #rows = 0;

  observe({ a, b }: PredictedPair): void {
    raise(this.#a, a, 1);
    raise(this.#b, b, 1);
    if (a === b && a >= 0) this.#agreeing++;
    this.#rows++;
  }

  merge(other: Agreement): void {
    for (const [label, count] of other.#a) raise(this.#a, label, count);
    for (const [label, count] of other.#b) raise(this.#b, label, count);
    this.#agreeing += other.#agreeing;
    this.#rows += other.#rows;
  }

  result(): AgreementFigures {
    const n = this.#rows;
    let expected = 0;
    for (const [label, count] of this.#a) if (label >= 0) expected += (count / n) * ((this.#b.get(label) ?? 0) / n);
    const observed = this.#agreeing / n;
    return {
      top1: proportion(this.#agreeing, n),
      kappa: expected === 1 ? 1 : (observed - expected) / (1 - expected),
      lost: [...this.#a]
        .filter(([label, rows]) => label >= 0 && rows >= LEAST_ROWS && !this.#b.has(label))
        .map(([label, rows]) => ({ label, rows }))
        .sort((x, y) => y.rows - x.rows || x.label - y.label),
    };
  }
}

function raise(counts: Map<number, number>, label: number, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}
