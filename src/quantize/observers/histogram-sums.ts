/** Running sums of a histogram: counts, values and squares up to any point, by interpolation inside a bin. */
import type { HistogramData } from './histogram.js';

export class HistogramSums {
  readonly total: number;
  readonly #histogram: HistogramData;
  readonly #width: number;
  readonly #counts: Float64Array;
  readonly #values: Float64Array;
  readonly #squares: Float64Array;

  constructor(histogram: HistogramData) {
    const { counts, first, exponent } = histogram;
    this.#histogram = histogram;
    this.#width = 2 ** exponent;
    this.#counts = new Float64Array(counts.length + 1);
    this.#values = new Float64Array(counts.length + 1);
    this.#squares = new Float64Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      // Zeros are in the first bin of the positive side, and nothing else there is large enough to count.
      const value = first + i === 0 ? 0 : (first + i + 0.5) * this.#width;
      this.#counts[i + 1] = (this.#counts[i] as number) + count;
      this.#values[i + 1] = (this.#values[i] as number) + count * value;
      this.#squares[i + 1] = (this.#squares[i] as number) + count * value * value;
    }
    this.total = this.#counts[counts.length] as number;
  }

  /** Count, sum and sum of squares of the values below `limit`. */
  below(limit: number): { readonly count: number; readonly sum: number; readonly squares: number } {
    const { first, counts } = this.#histogram;
    const position = Math.min(Math.max(limit / this.#width - first, 0), counts.length);
    const bin = Math.floor(position);
    const part = position - bin;
    const at = (sums: Float64Array): number => {
      const start = sums[bin] as number;
      return part === 0 ? start : start + part * ((sums[bin + 1] as number) - start);
    };
    return { count: at(this.#counts), sum: at(this.#values), squares: at(this.#squares) };
  }

  /** Number of values below `limit`. */
  countBelow(limit: number): number {
    return this.below(limit).count;
  }

  /** The point below which `count` values lie, by interpolation. */
  quantile(count: number): number {
    const { first, counts } = this.#histogram;
    let low = 0;
    let high = counts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#counts[middle + 1] as number) < count) low = middle + 1;
      else high = middle;
    }
    if (low === counts.length) return (first + low) * this.#width;
    const inside = counts[low] as number;
    const part = inside === 0 ? 0 : Math.max(0, count - (this.#counts[low] as number)) / inside;
    return (first + low + part) * this.#width;
  }
}
