import { elementCount } from '../tensor/tensor.js';
import type { Accumulator } from './accumulator.js';
import { logSumExp } from './host-numbers.js';
import { Z_95 } from './proportion.js';

/** Scores of classes of one run, of both models. */
export interface ScoredRun {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
  /** [samples, …]. */
  readonly dims: readonly number[];
  /** Axis of the classes, from 0. */
  readonly axis: number;
}

/** How far the distributions of classes are apart. */
export interface Divergence {
  /** Mean over samples of the mean over their positions, in nats: 0 where nothing differs. */
  readonly value: number;
  /** Samples. */
  readonly n: number;
  /** 95 % interval of the mean over samples; equal to the value for one sample. */
  readonly low: number;
  readonly high: number;
}

/** Elements that are looked at: later samples are left out. Exponentials of so many take about half a second. */
const MOST_ELEMENTS = 2 ** 25;
/** A probability of B below counts as this, so that one zero does not decide. */
const LEAST = 1e-12;
/** So far from 1 a sum of probabilities may be, for rounding in half precision. */
const SUM_TOLERANCE = 0.01;

/**
 * The Kullback-Leibler divergence Σ p·ln(p/q) of the classes that B gives (q) from those of A (p). Scores that are shares of a whole are taken
 * as they are, all others as logits. Rows with values that are not finite are passed over.
 * Source: S. Kullback and R. A. Leibler, "On information and sufficiency", 1951.
 */
export class ScoreDivergence implements Accumulator<ScoredRun, Divergence | undefined> {
  #areShares: boolean | undefined;
  #elements = 0;
  #n = 0;
  #sum = 0;
  #squares = 0;

  observe({ a, b, dims, axis }: ScoredRun): void {
    const classes = dims[axis] ?? 1;
    const stride = elementCount(dims.slice(axis + 1));
    const samples = axis === 0 ? 1 : (dims[0] ?? 1);
    const width = a.length / Math.max(1, samples);
    if (classes < 2 || a.length === 0 || this.#elements > MOST_ELEMENTS) return;
    this.#areShares ??= areShares(a, classes, stride);
    this.#elements += a.length;
    const divergence = this.#areShares ? ofShares : ofLogits;
    for (let sample = 0; sample < samples; sample++) {
      let [sum, rows] = [0, 0];
      const end = (sample + 1) * width;
      for (let start = sample * width; start < end; start += classes * stride)
        for (let i = start; i < start + stride; i++) {
          const each = divergence(a, b, i, classes, stride);
          if (!Number.isFinite(each)) continue;
          sum += Math.max(0, each);
          rows++;
        }
      if (rows > 0) this.#add(sum / rows);
    }
  }

  #add(value: number): void {
    this.#n++;
    this.#sum += value;
    this.#squares += value * value;
  }

  merge(other: ScoreDivergence): void {
    this.#areShares ??= other.#areShares;
    this.#elements += other.#elements;
    this.#n += other.#n;
    this.#sum += other.#sum;
    this.#squares += other.#squares;
  }

  result(): Divergence | undefined {
    const n = this.#n;
    if (n === 0) return undefined;
    const value = this.#sum / n;
    const variance = n < 2 ? 0 : Math.max(0, (this.#squares - n * value * value) / (n - 1));
    const half = Z_95 * Math.sqrt(variance / n);
    return { value, n, low: Math.max(0, value - half), high: value + half };
  }
}

/** Whether the first rows are shares of a whole: from 0 to 1, and 1 together. */
export function areShares(values: Float32Array | Float64Array, classes: number, stride: number): boolean {
  const rows = Math.min(16, Math.floor(values.length / (classes * stride)));
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < classes; i++) {
      const value = values[row * classes * stride + i * stride] as number;
      if (!(value >= 0 && value <= 1 + SUM_TOLERANCE)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) return false;
  }
  return rows > 0;
}

type Row = Float32Array | Float64Array;

function ofShares(a: Row, b: Row, start: number, classes: number, stride: number): number {
  let sum = 0;
  for (let i = 0, at = start; i < classes; i++, at += stride) {
    const p = a[at] as number;
    if (p === 0) continue;
    sum += p * Math.log(p / Math.max(LEAST, b[at] as number));
  }
  return sum;
}

function ofLogits(a: Row, b: Row, start: number, classes: number, stride: number): number {
  const [wholeA, wholeB] = [logSumExp(a, start, classes, stride), logSumExp(b, start, classes, stride)];
  let sum = 0;
  for (let i = 0, at = start; i < classes; i++, at += stride) {
    const logP = (a[at] as number) - wholeA;
    const p = Math.exp(logP);
    if (p > 0) sum += p * (logP - ((b[at] as number) - wholeB));
  }
  return sum;
}
