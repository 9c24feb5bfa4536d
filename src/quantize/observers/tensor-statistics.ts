/** What is remembered of the values of a tensor: everything an observer needs, in memory that does not grow with the samples. */
import { Histogram, type HistogramData } from './histogram.js';

/** Statistics as plain data, which go from one process to another. */
export interface StatisticsData {
  /** Smallest and largest finite value; `min > max` where there was none. */
  readonly min: number;
  readonly max: number;
  readonly nan: number;
  readonly infinite: number;
  /** Chunks with finite values; mean of their smallest and of their largest value. */
  readonly chunks: number;
  readonly meanMin: number;
  readonly meanMax: number;
  readonly histogram: HistogramData;
  /** Mean square of each channel, where it was asked for. */
  readonly channelPower?: Float64Array;
}

/** 2^149, by which every float32 number becomes an integer. */
const UNITS = 2 ** 149;

/** Statistics of one tensor. Call `observe` with the values of each run; equal for any order of runs. */
export class TensorStatistics {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #nan = 0;
  #infinite = 0;
  #chunks = 0;
  /** Exact sums, in 2^-149: rounding would make them depend on the order. */
  #sumMin = 0n;
  #sumMax = 0n;
  readonly #histogram = new Histogram();

  /** Counts the finite values in; NaN and infinities are counted apart. */
  observe(values: Float32Array | Float64Array): void {
    const { min, max, nan, infinite } = this.#histogram.observe(values);
    this.#nan += nan;
    this.#infinite += infinite;
    if (min > max) return;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    this.#chunks++;
    this.#sumMin += BigInt(Math.fround(min) * UNITS);
    this.#sumMax += BigInt(Math.fround(max) * UNITS);
  }

  /** Adds what another one has seen. */
  merge(other: TensorStatistics): void {
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#nan += other.#nan;
    this.#infinite += other.#infinite;
    this.#chunks += other.#chunks;
    this.#sumMin += other.#sumMin;
    this.#sumMax += other.#sumMax;
    this.#histogram.merge(other.#histogram);
  }

  data(): StatisticsData {
    return {
      min: this.#min,
      max: this.#max,
      nan: this.#nan,
      infinite: this.#infinite,
      chunks: this.#chunks,
      meanMin: meanOf(this.#sumMin, this.#chunks),
      meanMax: meanOf(this.#sumMax, this.#chunks),
      histogram: this.#histogram.data(),
    };
  }
}

function meanOf(sum: bigint, count: number): number {
  return count === 0 ? 0 : Math.fround(Number(sum) / UNITS / count);
}
