import type { Accumulator } from '../accumulator.js';
import type { FeatureRow } from './feature-pairs.js';
import { hashOf } from './related-samples.js';

/** How well a linear map of the student's feature predicts that of the teacher. */
export interface RidgeResult {
  /** Rows that the map was fitted on, and rows that it was judged on. */
  readonly fitted: number;
  readonly judged: number;
  /** Mean squared error on the rows that were not fitted. */
  readonly mse: number;
  /** The same divided by the variance of the teacher's feature there. */
  readonly share: number;
  /** What the diagonal of the covariance was raised by, as a part of its mean. */
  readonly ridge: number;
}

/** Strength of the ridge, as a part of the mean of the diagonal. */
const RIDGE = 1e-3;

/**
 * Ridge regression from student to teacher with an intercept, fitted on half of the rows and judged on the others. A row is in the
 * half that the sum of the bits of its student feature tells, so that neither order nor batches of rows change the result.
 */
export class RidgeProjection implements Accumulator<FeatureRow, RidgeResult | undefined> {
  readonly #halves: readonly [HalfSums, HalfSums];
  readonly #width: { readonly x: number; readonly y: number };

  constructor(teacherWidth: number, studentWidth: number) {
    this.#width = { x: studentWidth, y: teacherWidth };
    this.#halves = [new HalfSums(studentWidth, teacherWidth), new HalfSums(studentWidth, teacherWidth)];
  }

  observe({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    const x = student.subarray(studentFrom, studentFrom + this.#width.x);
    const y = teacher.subarray(teacherFrom, teacherFrom + this.#width.y);
    this.#halves[halfOf(x)].add(x, y);
  }

  merge(other: RidgeProjection): void {
    this.#halves[0].merge(other.#halves[0]);
    this.#halves[1].merge(other.#halves[1]);
  }

  /** Undefined where a half has less than two rows, or the covariance cannot be inverted. */
  result(): RidgeResult | undefined {
    const [fit, judge] = this.#halves;
    if (fit.rows < 2 || judge.rows < 2) return undefined;
    const weights = solve(fit, this.#width.x, this.#width.y);
    if (!weights) return undefined;
    const { error, variance } = judge.judge(weights, fit);
    const values = judge.rows * this.#width.y;
    return { fitted: fit.rows, judged: judge.rows, mse: error / values, share: error / variance, ridge: RIDGE };
  }
}

/** The half of a row: parity of a hash of its values. */
function halfOf(row: Float32Array | Float64Array): 0 | 1 {
  const hash = hashOf(row);
  return ((hash ^ (hash >>> 16)) & 1) as 0 | 1;
}

/** Sums of x (student) and y (teacher), from which errors of any linear map follow. */
class HalfSums {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  yy = 0;
  rows = 0;
  readonly #widthX: number;
  readonly #widthY: number;

  constructor(widthX: number, widthY: number) {
    this.#widthX = widthX;
    this.#widthY = widthY;
    this.x = new Float64Array(widthX);
    this.y = new Float64Array(widthY);
    this.xx = new Float64Array(widthX * widthX);
    this.xy = new Float64Array(widthX * widthY);
  }

  add(x: ArrayLike<number>, y: ArrayLike<number>): void {
    for (let i = 0; i < this.#widthX; i++) {
      const value = x[i] as number;
      this.x[i] = (this.x[i] as number) + value;
      for (let j = 0, at = i * this.#widthX; j < this.#widthX; j++, at++)
        this.xx[at] = (this.xx[at] as number) + value * (x[j] as number);
      for (let j = 0, at = i * this.#widthY; j < this.#widthY; j++, at++)
        this.xy[at] = (this.xy[at] as number) + value * (y[j] as number);
    }
    for (let j = 0; j < this.#widthY; j++) {
      const value = y[j] as number;
      this.y[j] = (this.y[j] as number) + value;
      this.yy += value * value;
    }
    this.rows++;
  }

  merge(other: HalfSums): void {
    for (const name of ['x', 'y', 'xx', 'xy'] as const) {
      const [target, source] = [this[name], other[name]];
      for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + (source[i] as number);
    }
    this.yy += other.yy;
    this.rows += other.rows;
  }

  /** Σ |y - (mean_y + (x - mean_x)·W)|² with the means of `fit`, and Σ |y - mean|² about the mean of these rows. */
  judge(weights: Float64Array, fit: HalfSums): { readonly error: number; readonly variance: number } {
    const [p, q, n] = [this.#widthX, this.#widthY, this.rows];
    // Moments about the means of the half that was fitted.
    const mx = fit.x.map((sum) => sum / fit.rows);
    const my = fit.y.map((sum) => sum / fit.rows);
    const dx = this.x.map((sum, i) => sum - n * (mx[i] as number));
    const dy = this.y.map((sum, j) => sum - n * (my[j] as number));
    let error = this.yy;
    let variance = this.yy;
    for (let j = 0; j < q; j++) {
      const [sum, mean] = [this.y[j] as number, my[j] as number];
      error += n * mean * mean - 2 * mean * sum;
      variance -= (sum * sum) / n;
    }
    const column = new Float64Array(p);
    for (let j = 0; j < q; j++) {
      for (let i = 0; i < p; i++) column[i] = weights[i * q + j] as number;
      for (let i = 0; i < p; i++) {
        const w = column[i] as number;
        const cross =
          (this.xy[i * q + j] as number) -
          (mx[i] as number) * (dy[j] as number) -
          (my[j] as number) * (dx[i] as number) -
          n * (mx[i] as number) * (my[j] as number);
        error -= 2 * w * cross;
        let quadratic = 0;
        for (let k = 0; k < p; k++) {
          const covariance =
            (this.xx[i * p + k] as number) -
            (mx[i] as number) * (dx[k] as number) -
            (mx[k] as number) * (dx[i] as number) -
            n * (mx[i] as number) * (mx[k] as number);
          quadratic += covariance * (column[k] as number);
        }
        error += w * quadratic;
      }
    }
    return { error: Math.max(0, error), variance };
  }
}

/** W of (Cxx + λI) W = Cxy about the means, by Cholesky's factorization. */
function solve({ x, y, xx, xy, rows }: HalfSums, p: number, q: number): Float64Array | undefined {
  const factor = new Float64Array(p * p);
  let trace = 0;
  for (let i = 0; i < p; i++) {
    for (let k = 0; k < p; k++)
      factor[i * p + k] = (xx[i * p + k] as number) - ((x[i] as number) * (x[k] as number)) / rows;
    trace += factor[i * p + i] as number;
  }
  const ridge = (RIDGE * trace) / p;
  for (let i = 0; i < p; i++) factor[i * p + i] = (factor[i * p + i] as number) + ridge;
  for (let i = 0; i < p; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = factor[i * p + k] as number;
      for (let m = 0; m < k; m++) sum -= (factor[i * p + m] as number) * (factor[k * p + m] as number);
      if (i !== k) factor[i * p + k] = sum / (factor[k * p + k] as number);
      else if (sum > 0) factor[i * p + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const weights = new Float64Array(p * q);
  for (let j = 0; j < q; j++) {
    for (let i = 0; i < p; i++) {
      let sum = (xy[i * q + j] as number) - ((x[i] as number) * (y[j] as number)) / rows;
      for (let m = 0; m < i; m++) sum -= (factor[i * p + m] as number) * (weights[m * q + j] as number);
      weights[i * q + j] = sum / (factor[i * p + i] as number);
    }
    for (let i = p - 1; i >= 0; i--) {
      let sum = weights[i * q + j] as number;
      for (let m = i + 1; m < p; m++) sum -= (factor[m * p + i] as number) * (weights[m * q + j] as number);
      weights[i * q + j] = sum / (factor[i * p + i] as number);
    }
  }
  return weights;
}
