/**
 * A histogram whose range grows with what it sees and whose number of bins does not. Bins are 2^k wide and start at zero on both sides;
 * when a value lies outside, k rises and pairs of bins merge. Where a value ends up depends on k and on the value alone, and the last k on
 * the largest magnitude alone: neither the order of values nor the way they are cut into chunks changes a count.
 */
import {
  BINS_PER_SIDE,
  HISTOGRAM_BLOCK,
  type HistogramKernels,
  histogramKernels,
} from '../../tensor/histogram-kernels.js';
import { minMax } from '../../tensor/statistics.js';

const MOST_COUNT = 0xffffffff;
/** Bin widths below cannot be told from each other in float32. */
const LEAST_EXPONENT = -149;

/** Of these on, powers of two are no normal float32 numbers, which kernels multiply by. */
const MOST_KERNEL_EXPONENT = 126;
/** Shorter arrays are not worth a table of counts that is added in the end. */
const WORTHWHILE_ELEMENTS = 32768;

type Counts = Uint32Array | Float64Array;

/** A histogram as plain data, without the empty bins at its ends. */
export interface HistogramData {
  /** Bins are 2^exponent wide. */
  readonly exponent: number;
  /** Number of the first bin; bin `i` holds values in [i, i + 1) · 2^exponent, those below zero in (i, i + 1]. */
  readonly first: number;
  readonly counts: Float64Array;
}

/** What was among some numbers. */
export interface Observed {
  /** Of the finite numbers; `min > max` where there was none. */
  readonly min: number;
  readonly max: number;
  readonly nan: number;
  readonly infinite: number;
}

export class Histogram {
  #exponent = LEAST_EXPONENT;
  /** From bin −BINS_PER_SIDE to bin BINS_PER_SIDE − 1. */
  #counts: Counts = new Uint32Array(2 * BINS_PER_SIDE);
  /** Upper bound of every count. */
  #total = 0;

  /** Counts the finite numbers, and says what it has seen. */
  observe(values: Float32Array | Float64Array): Observed {
    const isLong = values instanceof Float32Array && values.length >= WORTHWHILE_ELEMENTS;
    const kernels = isLong ? histogramKernels() : undefined;
    return kernels && isLong ? this.#observeBlocks(values, kernels) : this.#observePlain(values);
  }

  /** Adds what another one has counted. */
  merge(other: Histogram): void {
    const target = Math.max(this.#exponent, other.#exponent);
    this.#widen(target);
    this.#reserve(other.#total);
    const shift = target - other.#exponent;
    for (const [at, count] of other.#counts.entries()) {
      if (count === 0) continue;
      const to = binAfter(at - BINS_PER_SIDE, shift) + BINS_PER_SIDE;
      this.#counts[to] = (this.#counts[to] as number) + count;
    }
  }

  data(): HistogramData {
    const counts = this.#counts;
    let from = 0;
    let to = counts.length;
    while (from < to && counts[from] === 0) from++;
    while (to > from && counts[to - 1] === 0) to--;
    return {
      exponent: this.#exponent,
      first: from - BINS_PER_SIDE,
      counts: Float64Array.from(counts.subarray(from, to)),
    };
  }

  #observePlain(values: Float32Array | Float64Array): Observed {
    const { min, max, nonFinite } = minMax(values);
    if (nonFinite === 0) {
      if (min <= max) this.#count(values, min, max);
      return { min, max, nan: 0, infinite: 0 };
    }
    let nan = 0;
    for (const value of values) if (Number.isNaN(value)) nan++;
    return { ...this.#observePlain(values.filter(Number.isFinite)), nan, infinite: nonFinite - nan };
  }

  #observeBlocks(values: Float32Array, kernels: HistogramKernels): Observed {
    const seen = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, nan: 0, infinite: 0 };
    let isPending = false;
    const flush = (): void => {
      if (isPending) this.#take(kernels.take());
      isPending = false;
    };
    for (let from = 0; from < values.length; from += HISTOGRAM_BLOCK) {
      const block = values.subarray(from, from + HISTOGRAM_BLOCK);
      kernels.floats.set(block);
      let range: Pick<Observed, 'min' | 'max'> | undefined =
        block.length % 4 === 0 ? kernels.rangeOf(block.length) : undefined;
      const exponent = range && Math.max(this.#exponent, exponentFor(Math.max(-range.min, range.max)));
      if (range && exponent !== undefined && Math.abs(exponent) <= MOST_KERNEL_EXPONENT) {
        // What was counted so far is in bins of the width before.
        if (exponent > this.#exponent) flush();
        this.#widen(exponent);
        this.#reserve(block.length);
        kernels.count(block.length, 2 ** -exponent);
        isPending = true;
      } else {
        flush();
        const odd = this.#observePlain(block);
        seen.nan += odd.nan;
        seen.infinite += odd.infinite;
        range = odd;
      }
      if (range.min < seen.min) seen.min = range.min;
      if (range.max > seen.max) seen.max = range.max;
    }
    flush();
    return seen;
  }

  /** Adds counts of bins of this width, and empties them. */
  #take(table: Uint32Array): void {
    const counts = this.#counts;
    for (let at = 0; at < table.length; at++) counts[at] = (counts[at] as number) + (table[at] as number);
    table.fill(0);
  }

  #count(values: Float32Array | Float64Array, min: number, max: number): void {
    this.#widen(exponentFor(Math.max(-min, max)));
    this.#reserve(values.length);
    const inverse = 2 ** -this.#exponent;
    if (min >= 0) countPositive(this.#counts, values, inverse);
    else if (values instanceof Float32Array) countFloats(this.#counts, values, inverse);
    else countNumbers(this.#counts, values, inverse);
  }

  #widen(exponent: number): void {
    const shift = exponent - this.#exponent;
    if (shift <= 0) return;
    this.#exponent = exponent;
    if (this.#total === 0) return;
    const counts = this.#counts;
    // Bins move toward zero, so each is read before it is written, from the middle outwards.
    for (let bin = 1; bin < BINS_PER_SIDE; bin++) {
      move(counts, bin, binAfter(bin, shift));
      move(counts, -1 - bin, binAfter(-1 - bin, shift));
    }
  }

  /** Room for so many more counts: 32 bits hold them until they do not. */
  #reserve(count: number): void {
    this.#total += count;
    if (this.#total > MOST_COUNT && this.#counts instanceof Uint32Array) this.#counts = Float64Array.from(this.#counts);
  }
}

/** The least k at which numbers up to a magnitude are in bins 2^k wide. */
function exponentFor(largest: number): number {
  if (largest === 0) return LEAST_EXPONENT;
  let exponent = Math.max(LEAST_EXPONENT, Math.floor(Math.log2(largest / BINS_PER_SIDE)));
  // The logarithm may be one off.
  while (largest >= BINS_PER_SIDE * 2 ** exponent) exponent++;
  while (exponent > LEAST_EXPONENT && largest < BINS_PER_SIDE * 2 ** (exponent - 1)) exponent--;
  return exponent;
}

/** The bin that holds a bin after its width was doubled `shift` times. */
function binAfter(bin: number, shift: number): number {
  if (shift > 30) return bin < 0 ? -1 : 0;
  return bin >> shift;
}

function move(counts: Counts, from: number, to: number): void {
  const count = counts[from + BINS_PER_SIDE] as number;
  if (count === 0 || from === to) return;
  counts[from + BINS_PER_SIDE] = 0;
  counts[to + BINS_PER_SIDE] = (counts[to + BINS_PER_SIDE] as number) + count;
}

// Bins are numbered toward zero, so that those of tiny numbers do not depend on the width of bins; numbers below zero, and not -0, are one bin
// further down. Which of two numbers comes next cannot be foreseen, so the loop over most values has no branch: it is three times as fast.

function countPositive(counts: Counts, values: Float32Array | Float64Array, inverse: number): void {
  for (let i = 0; i < values.length; i++) {
    const at = BINS_PER_SIDE + (((values[i] as number) * inverse) | 0);
    counts[at] = (counts[at] as number) + 1;
  }
}

function countFloats(counts: Counts, values: Float32Array, inverse: number): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i] as number;
    const magnitude = word << 1;
    const isBelow = (word >>> 31) & ((magnitude | -magnitude) >>> 31);
    const at = BINS_PER_SIDE + (((values[i] as number) * inverse) | 0) - isBelow;
    counts[at] = (counts[at] as number) + 1;
  }
}

function countNumbers(counts: Counts, values: Float64Array, inverse: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const at = (value < 0 ? BINS_PER_SIDE - 1 : BINS_PER_SIDE) + ((value * inverse) | 0);
    counts[at] = (counts[at] as number) + 1;
  }
}
