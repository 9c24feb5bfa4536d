import type { Accumulator } from '../accumulator.js';
import { ExactSum } from '../exact-sum.js';

/** Numbers of both models for one row, and the right ones where they are known. */
export interface ValueRow {
  readonly teacher: ArrayLike<number>;
  readonly student: ArrayLike<number>;
  readonly from: number;
  readonly labels?: ArrayLike<number>;
  readonly labelsFrom?: number;
}

/** How far numbers are from those that they should be. */
export interface ValueErrors {
  readonly mse: number;
  readonly rmse: number;
  readonly mae: number;
  readonly maxAbs: number;
  /** Share of the variance explained; NaN where there is none. */
  readonly r2: number;
  /** Pearson's correlation. */
  readonly correlation: number;
}

export interface RegressionResult {
  readonly kind: 'regression';
  readonly rows: number;
  readonly values: number;
  /** The student against the teacher. */
  readonly fidelity: ValueErrors;
  /** Both against the labels. */
  readonly labelled?: { readonly teacher: ValueErrors; readonly student: ValueErrors };
}

/** Errors of one list of numbers against another. */
class Errors {
  readonly #squared = new ExactSum();
  readonly #absolute = new ExactSum();
  readonly #x = new ExactSum();
  readonly #y = new ExactSum();
  readonly #xx = new ExactSum();
  readonly #yy = new ExactSum();
  readonly #xy = new ExactSum();
  #max = 0;
  count = 0;

  /** @param wanted the number that `given` should be */
  add(wanted: number, given: number): void {
    const error = given - wanted;
    this.#squared.add(error * error);
    this.#absolute.add(Math.abs(error));
    this.#x.add(wanted);
    this.#y.add(given);
    this.#xx.add(wanted * wanted);
    this.#yy.add(given * given);
    this.#xy.add(wanted * given);
    this.#max = Math.max(this.#max, Math.abs(error));
    this.count++;
  }

  merge(other: Errors): void {
    this.#squared.merge(other.#squared.state);
    this.#absolute.merge(other.#absolute.state);
    this.#x.merge(other.#x.state);
    this.#y.merge(other.#y.state);
    this.#xx.merge(other.#xx.state);
    this.#yy.merge(other.#yy.state);
    this.#xy.merge(other.#xy.state);
    this.#max = Math.max(this.#max, other.#max);
    this.count += other.count;
  }

  result(): ValueErrors {
    const n = this.count;
    const [x, y] = [this.#x.value / n, this.#y.value / n];
    const varianceX = this.#xx.value / n - x * x;
    const varianceY = this.#yy.value / n - y * y;
    const mse = this.#squared.value / n;
    return {
      mse,
      rmse: Math.sqrt(mse),
      mae: this.#absolute.value / n,
      maxAbs: this.#max,
      r2: varianceX > 0 ? 1 - mse / varianceX : Number.NaN,
      correlation: (this.#xy.value / n - x * y) / Math.sqrt(varianceX * varianceY),
    };
  }
}

/** Compares outputs that are numbers, not scores. */
export class RegressionPairs implements Accumulator<ValueRow, RegressionResult> {
  readonly #width: number;
  readonly #fidelity = new Errors();
  readonly #teacher = new Errors();
  readonly #student = new Errors();
  #rows = 0;

  constructor(width: number) {
    this.#width = width;
  }

  observe({ teacher, student, from, labels, labelsFrom = 0 }: ValueRow): void {
    for (let i = 0; i < this.#width; i++) {
      const [t, s] = [teacher[from + i] as number, student[from + i] as number];
      this.#fidelity.add(t, s);
      const label = labels?.[labelsFrom + i];
      if (label === undefined || Number.isNaN(label)) continue;
      this.#teacher.add(label, t);
      this.#student.add(label, s);
    }
    this.#rows++;
  }

  merge(other: RegressionPairs): void {
    this.#fidelity.merge(other.#fidelity);
    this.#teacher.merge(other.#teacher);
    this.#student.merge(other.#student);
    this.#rows += other.#rows;
  }

  result(): RegressionResult {
    return {
      kind: 'regression',
      rows: this.#rows,
      values: this.#width,
      fidelity: this.#fidelity.result(),
      ...(this.#teacher.count === 0
        ? {}
        : { labelled: { teacher: this.#teacher.result(), student: this.#student.result() } }),
    };
  }
}
