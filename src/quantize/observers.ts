/** The smallest and largest value a tensor took while calibrating; float32 values. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** Observed ranges by tensor name. A Map, never an object: names come from strangers. */
export type RangeMap = ReadonlyMap<string, ValueRange>;

/** Folds finite minimum and maximum of `values` into a range; NaN and infinities are skipped and counted. */
export function observeMinMax(
  values: Float32Array,
  range: ValueRange | undefined,
): { readonly range: ValueRange | undefined; readonly notFinite: number } {
  let min = range?.min ?? Number.POSITIVE_INFINITY;
  let max = range?.max ?? Number.NEGATIVE_INFINITY;
  let notFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) {
      notFinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { range: min <= max ? { min, max } : undefined, notFinite };
}

/** The range that holds both. */
export function mergeRanges(a: ValueRange, b: ValueRange): ValueRange {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Merges a map of ranges into another, in place. Order and split of the samples do not change the result. */
export function mergeRangeMaps(into: Map<string, ValueRange>, from: RangeMap): void {
  for (const [name, range] of from) {
    const known = into.get(name);
    into.set(name, known ? mergeRanges(known, range) : range);
  }
}
