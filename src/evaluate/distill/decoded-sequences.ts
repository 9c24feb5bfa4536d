import type { Accumulator } from '../accumulator.js';
import { ExactSum } from '../exact-sum.js';
import { Flips, type FlipsResult } from '../flips.js';
import type { Proportion } from '../proportion.js';
import { SequenceEdits } from '../sequence-edits.js';

/** Decoded sequences of one sample. */
export interface DecodedSample {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly label?: readonly number[];
  /** Losses of the label (`ctcLoss`), where there is one. */
  readonly losses?: readonly [teacher: number, student: number];
}

export interface SequenceQuality {
  /** Share of sequences that are right throughout. */
  readonly exact: Proportion;
  /** Edits per symbol of the labels. */
  readonly errorRate: number;
  /** Mean over samples of -ln of the probability of the label; Infinity where a label is longer than the steps allow. */
  readonly ctcLoss: number;
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

/** One model against the labels. */
class Side {
  readonly edits = new SequenceEdits();
  readonly loss = new ExactSum();

  merge(other: Side): void {
    this.edits.merge(other.edits);
    this.loss.merge(other.loss.state);
  }

  result(): SequenceQuality {
    const { n, exact, errorRate } = this.edits.result();
    return { exact, errorRate, ctcLoss: this.loss.value / n };
  }
}

/** Compares what two models decode. */
export class DecodedSequences implements Accumulator<DecodedSample, SequencesResult> {
  readonly #pairs = new SequenceEdits();
  readonly #teacher = new Side();
  readonly #student = new Side();
  readonly #flips = new Flips();
  #labelled = 0;

  observe({ teacher, student, label, losses }: DecodedSample): void {
    this.#pairs.observe({ wanted: teacher, given: student });
    if (!label) return;
    this.#labelled++;
    this.#flips.observe({
      teacher: this.#teacher.edits.observe({ wanted: label, given: teacher }),
      student: this.#student.edits.observe({ wanted: label, given: student }),
    });
    this.#teacher.loss.add(losses?.[0] ?? Number.NaN);
    this.#student.loss.add(losses?.[1] ?? Number.NaN);
  }

  merge(other: DecodedSequences): void {
    this.#pairs.merge(other.#pairs);
    this.#teacher.merge(other.#teacher);
    this.#student.merge(other.#student);
    this.#flips.merge(other.#flips);
    this.#labelled += other.#labelled;
  }

  result(): SequencesResult {
    const { n, exact, errorRate } = this.#pairs.result();
    const base = { samples: n, agreement: exact, editRate: errorRate };
    if (this.#labelled === 0) return base;
    const [teacher, student] = [this.#teacher.result(), this.#student.result()];
    return { ...base, labelled: { teacher, student, flips: this.#flips.result() } };
  }
}
