/** The smallest and largest value a tensor took while calibrating; float32 values. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
  /** Mean square of each channel (index of axis 1), where it was asked for. */
  readonly channelPower?: Float64Array;
}

/** Observed ranges by tensor name. A Map, never an object: names come from strangers. */
export type RangeMap = ReadonlyMap<string, ValueRange>;

/** The range that holds both. */
export function mergeRanges(a: ValueRange, b: ValueRange): ValueRange {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
