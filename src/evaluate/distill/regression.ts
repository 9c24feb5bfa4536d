import type { Accumulator } from '../accumulator.js';
import { ErrorSums } from '../error-sums.js';
import { ExactSum } from '../exact-sum.js';

/** Numbers of both models for one row, and the right ones where they are known. */
export interface ValueRow {
  readonly teacher: ArrayLike<number>;
  readonly student: ArrayLike<number>;
  readonly from: number;
  /** NaN where the right number is not known. */
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
  /** Pearson's correlation; NaN where one side has no variance. */
  readonly correlation: number;
}

/** alpha · MSE of the labels + (1 - alpha) · MSE of the teacher. */
export interface ValueLoss {
  readonly alpha: number;
  readonly soft: number;
  readonly hard: number;
  readonly total: number;
}

export interface RegressionResult {
  readonly kind: 'regression';
  readonly rows: number;
  readonly values: number;
  /** The student against the teacher. */
  readonly fidelity: ValueErrors;
  /** Both against the labels. */
  readonly labelled?: { readonly teacher: ValueErrors; readonly student: ValueErrors };
  /** For each alpha; absent without labels, where the MSE of `fidelity` is all there is. */
  readonly losses?: readonly ValueLoss[];
}

/** Variances and covariance of pairs, about the first of them: numbers far from 0 cost no digits. */
class Spread {
  #origin: readonly [number, number] | undefined;
  readonly #sums = [new ExactSum(), new ExactSum(), new ExactSum(), new ExactSum(), new ExactSum()] as const;
  #count = 0;

  add(x: number, y: number): void {
    this.#origin ??= [x, y];
    const [dx, dy] = [x - this.#origin[0], y - this.#origin[1]];
    this.#addTerms(dx, dy, dx * dx, dy * dy, dx * dy);
    this.#count++;
  }

  merge(other: Spread): void {
    if (!other.#origin) return;
    this.#origin ??= other.#origin;
    const n = other.#count;
    const [x, y, xx, yy, xy] = other.#sums.map(({ value }) => value) as [number, number, number, number, number];
    const [sx, sy] = [other.#origin[0] - this.#origin[0], other.#origin[1] - this.#origin[1]];
    this.#addTerms(
      x + n * sx,
      y + n * sy,
      xx + 2 * sx * x + n * sx * sx,
      yy + 2 * sy * y + n * sy * sy,
      xy + sx * y + sy * x + n * sx * sy,
    );
    this.#count += n;
  }

  #addTerms(...terms: readonly [number, number, number, number, number]): void {
    for (const [i, sum] of this.#sums.entries()) sum.add(terms[i] as number);
  }

  /** Variances and covariance; what rounding leaves of numbers that are all equal is 0. */
  get moments(): readonly [varianceX: number, varianceY: number, covariance: number] {
    const n = this.#count;
    const [x, y, xx, yy, xy] = this.#sums.map(({ value }) => value / n) as [number, number, number, number, number];
    const left = (square: number, mean: number): number => {
      const variance = square - mean * mean;
      return variance > square * 1e-14 ? variance : 0;
    };
    return [left(xx, x), left(yy, y), xy - x * y];
  }
}

/** Errors of one list of numbers against another. */
class Errors {
  readonly #errors = new ErrorSums();
  readonly #spread = new Spread();
  count = 0;

  /** @param wanted the number that `given` should be */
  add(wanted: number, given: number): void {
    this.#errors.observe({ a: [wanted], b: [given] });
    this.#spread.add(wanted, given);
    this.count++;
  }

  merge(other: Errors): void {
    this.#errors.merge(other.#errors);
    this.#spread.merge(other.#spread);
    this.count += other.count;
  }

  result(): ValueErrors {
    const { mse, rmse, mae, maxAbs } = this.#errors.result();
    const [varianceX, varianceY, covariance] = this.#spread.moments;
    return {
      mse,
      rmse,
      mae,
      maxAbs,
      r2: varianceX > 0 ? 1 - mse / varianceX : Number.NaN,
      correlation: varianceX > 0 && varianceY > 0 ? covariance / Math.sqrt(varianceX * varianceY) : Number.NaN,
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
    const fidelity = this.#fidelity.result();
    const base = { kind: 'regression', rows: this.#rows, values: this.#width, fidelity } as const;
    if (this.#teacher.count === 0) return base;
    return { ...base, labelled: { teacher: this.#teacher.result(), student: this.#student.result() } };
  }
}

/** The loss of labels and teacher for each weight; none without labels. */
export function valueLosses({ fidelity, labelled }: RegressionResult, alphas: readonly number[]): readonly ValueLoss[] {
  if (!labelled) return [];
  const [soft, hard] = [fidelity.mse, labelled.student.mse];
  return alphas.map((alpha) => ({ alpha, soft, hard, total: alpha * hard + (1 - alpha) * soft }));
}
