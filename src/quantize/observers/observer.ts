/** An observer chooses the range of a tensor from what was seen of its values. */
import type { NumberRange, QuantizationScheme } from '../scheme.js';
import type { HistogramSums } from './histogram-sums.js';
import type { StatisticsData } from './tensor-statistics.js';

/** Statistics of a tensor with the running sums of its histogram, which observers share. */
export interface Observed extends StatisticsData {
  readonly sums: HistogramSums;
}

/** Chooses a range inside [min, max] of what was seen. `observed` has at least one finite value. */
export type Observer = (observed: Observed, scheme: QuantizationScheme) => NumberRange;

/** A range no larger than what was seen. */
export function within({ min, max }: NumberRange, seen: NumberRange): NumberRange {
  return { min: Math.fround(Math.max(min, seen.min)), max: Math.fround(Math.min(max, seen.max)) };
}
