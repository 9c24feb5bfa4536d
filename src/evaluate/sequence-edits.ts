import type { Accumulator } from './accumulator.js';
import { editDistance } from './edit-distance.js';
import { type Proportion, proportion } from './proportion.js';

/** A sequence, and the one that it should be. */
export interface SequencePair {
  readonly wanted: readonly number[];
  readonly given: readonly number[];
}

export interface SequenceErrors {
  /** Sequences. */
  readonly n: number;
  /** Share of sequences that are right throughout. */
  readonly exact: Proportion;
  /** Symbols that are wanted. */
  readonly symbols: number;
  /** Insertions, deletions and replacements. */
  readonly edits: number;
  /** Edits per symbol; NaN where no symbol is wanted. */
  readonly errorRate: number;
}

/** Counts edits between sequences. */
export class SequenceEdits implements Accumulator<SequencePair, SequenceErrors> {
  #exact = 0;
  #edits = 0;
  #symbols = 0;
  #n = 0;

  /** @returns whether both are equal */
  observe({ wanted, given }: SequencePair): boolean {
    const edits = editDistance(wanted, given);
    this.#edits += edits;
    this.#symbols += wanted.length;
    this.#n++;
    if (edits === 0) this.#exact++;
    return edits === 0;
  }

  merge(other: SequenceEdits): void {
    this.#exact += other.#exact;
    this.#edits += other.#edits;
    this.#symbols += other.#symbols;
    this.#n += other.#n;
  }

  result(): SequenceErrors {
    const [n, edits, symbols] = [this.#n, this.#edits, this.#symbols];
    return { n, exact: proportion(this.#exact, n), symbols, edits, errorRate: edits / symbols };
  }
}
