import { createRandom } from '../../tensor/random.js';
import { ExactSum, exactSum } from '../exact-sum.js';
import { binOf } from './calibration.js';

/** An estimate with its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Means of columns over rows, and the calibration errors of two models: what is drawn again together. */
export interface BootstrapInput {
  /** [row, column] in row-major order. */
  readonly records: Float64Array;
  readonly columns: number;
  /** Columns of confidence and right (0 or 1) of each model; absent without labels. */
  readonly calibration?: readonly [confidence: number, right: number][];
  readonly bins: number;
  readonly resamples: number;
  readonly seed: number;
}

/**
 * Figures of seeded resamples `first` to `first + count - 1`: the means, then the calibration errors. All figures of a resample are
 * of the same rows, so that differences between models are paired. Each resample has random numbers of its own: parts may be
 * computed apart.
 */
export function bootstrapFigures(input: BootstrapInput, first: number, count: number): Float64Array {
  const { records, columns, calibration = [], bins, seed } = input;
  const rows = records.length / columns;
  const width = columns + calibration.length;
  const figures = new Float64Array(count * width);
  const sums = new Float64Array(columns);
  const gaps = calibration.map(() => new Float64Array(bins));
  // The bin of each row, once for all resamples.
  const places = calibration.map(([confidence]) =>
    Uint16Array.from({ length: rows }, (_, row) => binOf(records[row * columns + confidence] as number, bins)),
  );
  for (let r = 0; r < count; r++) {
    const random = createRandom(seed, first + r);
    sums.fill(0);
    for (const gap of gaps) gap.fill(0);
    for (let i = 0; i < rows; i++) {
      const row = Math.floor((random.uint32() / 2 ** 32) * rows);
      const at = row * columns;
      for (let column = 0; column < columns; column++)
        sums[column] = (sums[column] as number) + (records[at + column] as number);
      for (let side = 0; side < calibration.length; side++) {
        const [confidence, right] = calibration[side] as [number, number];
        const gap = gaps[side] as Float64Array;
        const bin = (places[side] as Uint16Array)[row] as number;
        gap[bin] = (gap[bin] as number) + (records[at + right] as number) - (records[at + confidence] as number);
      }
    }
    const to = r * width;
    for (let column = 0; column < columns; column++) figures[to + column] = (sums[column] as number) / rows;
    for (const [side, gap] of gaps.entries())
      figures[to + columns + side] = gap.reduce((sum, value) => sum + Math.abs(value), 0) / rows;
  }
  return figures;
}

/** The same figures of all rows as they are. */
export function wholeFigures({ records, columns, calibration = [], bins }: BootstrapInput): Float64Array {
  const rows = records.length / columns;
  const means = Array.from({ length: columns }, () => new ExactSum());
  const gaps = calibration.map(() => Array.from({ length: bins }, () => new ExactSum()));
  for (let at = 0; at < records.length; at += columns) {
    for (const [column, mean] of means.entries()) mean.add(records[at + column] as number);
    for (const [side, [confidence, right]] of calibration.entries()) {
      const value = records[at + confidence] as number;
      gaps[side]?.[binOf(value, bins)]?.add((records[at + right] as number) - value);
    }
  }
  return Float64Array.from([
    ...means.map(({ value }) => value / rows),
    ...gaps.map((bins) => exactSum(bins.map(({ value }) => Math.abs(value))) / rows),
  ]);
}

/**
 * Rows in an order that is the same whatever order they come in: by their values, column by column. Resamples then draw the same
 * values for any order of the samples.
 */
export function canonicalRecords(records: Float64Array, columns: number): Float64Array {
  const rows = records.length / columns;
  const order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  order.sort((a, b) => {
    for (let column = 0; column < columns; column++) {
      const difference = (records[a * columns + column] as number) - (records[b * columns + column] as number);
      if (difference !== 0 && !Number.isNaN(difference)) return difference;
    }
    return 0;
  });
  const sorted = new Float64Array(records.length);
  for (const [to, from] of order.entries())
    sorted.set(records.subarray(from * columns, (from + 1) * columns), to * columns);
  return sorted;
}

/** The interval of percentiles of resampled figures (Efron 1979). @param value of all rows as they are */
export function percentileInterval(value: number, resampled: Float64Array): Interval {
  const sorted = resampled.slice().sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
    return low + (high - low) * (place - Math.floor(place));
  };
  return sorted.length === 0
    ? { value, low: Number.NaN, high: Number.NaN }
    : { value, low: at(0.025), high: at(0.975) };
}
