import type { Accumulator } from '../accumulator.js';
import type { AgreementFigures } from '../agreement.js';
import { type Proportion, proportion } from '../proportion.js';
import { equalParts, sortedPlaces } from './calibration.js';

/** Agreement among rows of like confidence. */
export interface ConfidenceDecile {
  readonly low: number;
  readonly high: number;
  readonly agreement: Proportion;
}

export interface AgreementResult extends AgreementFigures {
  /** Tenths of the rows by the confidence of the teacher, the least sure first; fewer where there are few rows. */
  readonly deciles: readonly ConfidenceDecile[];
}

/** How sure the teacher is of a row, and whether the student predicts the same. */
export interface ConfidentRow {
  readonly confidence: number;
  readonly same: boolean;
}

const DECILES = 10;

/** Agreement by the confidence of the teacher; of equal confidences, rows that differ come first. */
export class ConfidenceDeciles implements Accumulator<ConfidentRow, readonly ConfidenceDecile[]> {
  readonly #confidence: number[] = [];
  readonly #same: boolean[] = [];

  observe({ confidence, same }: ConfidentRow): void {
    this.#confidence.push(confidence);
    this.#same.push(same);
  }

  merge(other: ConfidenceDeciles): void {
    for (const [i, confidence] of other.#confidence.entries())
      this.observe({ confidence, same: other.#same[i] === true });
  }

  result(): readonly ConfidenceDecile[] {
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
