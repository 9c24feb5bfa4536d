import type { Accumulator } from '../accumulator.js';
import { editDistance } from '../edit-distance.js';
import { type Proportion, proportion } from '../proportion.js';
import { Flips, type FlipsResult } from './fidelity.js';

/** Decoded sequences of one sample. */
export interface DecodedSample {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly label?: readonly number[];
}

export interface SequenceQuality {
  /** Share of sequences that are right throughout. */
  readonly exact: Proportion;
  /** Edits per symbol of the labels. */
  readonly errorRate: number;
}

export interface SequencesResult {
  readonly samples: number;
  /** Share of equal sequences, and the edits per symbol of the teacher. */
  readonly agreement: Proportion;
  readonly editRate: number;
  readonly labelled?: {
    readonly teacher: SequenceQuality;
    readonly student: SequenceQuality;
    readonly flips: FlipsResult;
  };
}

/** Counts of edits between sequences. */
class Edits {
  exact = 0;
  edits = 0;
  symbols = 0;
  samples = 0;

  /** @returns whether both are equal */
  add(wanted: readonly number[], given: readonly number[]): boolean {
    const edits = editDistance(wanted, given);
    this.edits += edits;
    this.symbols += wanted.length;
    this.samples++;
    if (edits === 0) this.exact++;
    return edits === 0;
  }

  merge(other: Edits): void {
    this.exact += other.exact;
    this.edits += other.edits;
    this.symbols += other.symbols;
    this.samples += other.samples;
  }

  result(): SequenceQuality {
    return { exact: proportion(this.exact, this.samples), errorRate: this.edits / this.symbols };
  }
}

/** Compares what two models decode. */
export class DecodedSequences implements Accumulator<DecodedSample, SequencesResult> {
  readonly #pairs = new Edits();
  readonly #teacher = new Edits();
  readonly #student = new Edits();
  readonly #flips = new Flips();

  observe({ teacher, student, label }: DecodedSample): void {
    this.#pairs.add(teacher, student);
    if (!label) return;
    this.#flips.observe({ teacher: this.#teacher.add(label, teacher), student: this.#student.add(label, student) });
  }

  merge(other: DecodedSequences): void {
    this.#pairs.merge(other.#pairs);
    this.#teacher.merge(other.#teacher);
    this.#student.merge(other.#student);
    this.#flips.merge(other.#flips);
  }

  result(): SequencesResult {
    const { exact, errorRate } = this.#pairs.result();
    return {
      samples: this.#pairs.samples,
      agreement: exact,
      editRate: errorRate,
      ...(this.#teacher.samples === 0
        ? {}
        : {
            labelled: {
              teacher: this.#teacher.result(),
              student: this.#student.result(),
              flips: this.#flips.result(),
            },
          }),
    };
  }
}
