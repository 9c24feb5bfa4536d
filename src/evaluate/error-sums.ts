import type { Accumulator } from './accumulator.js';
import { ExactSum } from './exact-sum.js';

/** A run of numbers, and those that stand where they should be equal. */
export interface NumberRun {
  /** What is taken as right. */
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
  /** Where the run begins in `a` and in `b`; default 0. */
  readonly fromA?: number;
  readonly fromB?: number;
  /** Default: all of `a`. */
  readonly count?: number;
}

/** How far numbers are apart. What is not finite in both is counted, and is in no other figure; those are NaN where nothing is. */
export interface ErrorFigures {
  /** Pairs that are finite. */
  readonly finite: number;
  /** Pairs that are equal, those that are infinite or NaN in the same way included. */
  readonly equal: number;
  readonly nonFiniteA: number;
  readonly nonFiniteB: number;
  /** Finite in A alone. */
  readonly lost: number;
  readonly maxAbs: number;
  /** Mean of |a - b|. */
  readonly mae: number;
  /** Mean of (a - b)². */
  readonly mse: number;
  readonly rmse: number;
  /** Root of the mean of a². */
  readonly rmsA: number;
  /** Σa² to Σ(a - b)² in dB. */
  readonly sqnrDb: number;
  /** Of the angle between both as vectors; 1 where both are zeros, 0 where one is. */
  readonly cosine: number;
}

/** Adds up the differences between two lists of numbers, run by run. */
export class ErrorSums implements Accumulator<NumberRun, ErrorFigures> {
  readonly #absolute = new ExactSum();
  readonly #squared = new ExactSum();
  readonly #squaredA = new ExactSum();
  readonly #squaredB = new ExactSum();
  readonly #product = new ExactSum();
  #finite = 0;
  #equal = 0;
  #nonFiniteA = 0;
  #nonFiniteB = 0;
  #lost = 0;
  #maxAbs = 0;

  observe({ a, b, fromA = 0, fromB = 0, count = a.length }: NumberRun): void {
    let [equal, finite, maxAbs, absolute, squared, squaredA, squaredB, product] = [0, 0, this.#maxAbs, 0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const x = a[fromA + i] as number;
      const y = b[fromB + i] as number;
      const error = x - y;
      // Not finite in either, or two doubles so far apart that their difference is not.
      if (error - error !== 0) {
        const finiteX = x - x === 0;
        const finiteY = y - y === 0;
        if (!finiteX) this.#nonFiniteA++;
        if (!finiteY) this.#nonFiniteB++;
        if (finiteX && !finiteY) this.#lost++;
        if (Object.is(x, y)) equal++;
        continue;
      }
      if (error === 0) equal++;
      const size = Math.abs(error);
      if (size > maxAbs) maxAbs = size;
      finite++;
      absolute += size;
      squared += error * error;
      squaredA += x * x;
      squaredB += y * y;
      product += x * y;
    }
    this.#equal += equal;
    this.#finite += finite;
    this.#maxAbs = maxAbs;
    this.#absolute.add(absolute);
    this.#squared.add(squared);
    this.#squaredA.add(squaredA);
    this.#squaredB.add(squaredB);
    this.#product.add(product);
  }

  merge(other: ErrorSums): void {
    this.#equal += other.#equal;
    this.#finite += other.#finite;
    this.#nonFiniteA += other.#nonFiniteA;
    this.#nonFiniteB += other.#nonFiniteB;
    this.#lost += other.#lost;
    this.#maxAbs = Math.max(this.#maxAbs, other.#maxAbs);
    this.#absolute.merge(other.#absolute.state);
    this.#squared.merge(other.#squared.state);
    this.#squaredA.merge(other.#squaredA.state);
    this.#squaredB.merge(other.#squaredB.state);
    this.#product.merge(other.#product.state);
  }

  result(): ErrorFigures {
    const n = this.#finite;
    const mse = this.#squared.value / n;
    return {
      finite: n,
      equal: this.#equal,
      nonFiniteA: this.#nonFiniteA,
      nonFiniteB: this.#nonFiniteB,
      lost: this.#lost,
      maxAbs: n === 0 ? Number.NaN : this.#maxAbs,
      mae: this.#absolute.value / n,
      mse,
      rmse: Math.sqrt(mse),
      rmsA: Math.sqrt(this.#squaredA.value / n),
      sqnrDb: n === 0 ? Number.NaN : sqnrDb(this.#squaredA.value, this.#squared.value),
      cosine: n === 0 ? Number.NaN : cosine(this.#squaredA.value, this.#squaredB.value, this.#product.value),
    };
  }
}

/** Signal to quantization noise ratio in dB from sums of squares: Infinity without noise, -Infinity without signal. */
export function sqnrDb(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** Cosine of the angle between two vectors from their sums: 1 for two of zeros, 0 for one of zeros. */
export function cosine(squaredA: number, squaredB: number, product: number): number {
  if (squaredA === 0 && squaredB === 0) return 1;
  if (squaredA === 0 || squaredB === 0) return 0;
  return Math.min(1, Math.max(-1, product / (Math.sqrt(squaredA) * Math.sqrt(squaredB))));
}
