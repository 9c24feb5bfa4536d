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
}

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
    };
  }
}

function raise(counts: Map<number, number>, label: number, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}
