/** The observers, and the choice among them. */
import type { NumberRange, QuantizationScheme } from '../scheme.js';
import { entropyRange } from './entropy.js';
import { expectedError } from './expected-error.js';
import { HistogramSums } from './histogram-sums.js';
import { minMaxRange } from './minmax.js';
import { movingAverageRange } from './moving-average.js';
import { mseRange } from './mse.js';
import type { Observed, Observer } from './observer.js';
import type { ObserverName } from './observer-names.js';
import { percentileRange } from './percentile.js';
import type { StatisticsData } from './tensor-statistics.js';

export type { HistogramData } from './histogram.js';
export type { ObserverName } from './observer-names.js';
export type { StatisticsData } from './tensor-statistics.js';

export const OBSERVERS: Readonly<Record<ObserverName, Observer>> = {
  minmax: minMaxRange,
  percentile: percentileRange,
  entropy: entropyRange,
  mse: mseRange,
  'moving-average': movingAverageRange,
};

/** Observers that `cheapestRange` chooses among, those that cut off less first. The moving average depends on what one sample is: never chosen. */
const CHOICES = ['minmax', 'percentile', 'entropy', 'mse'] as const satisfies readonly ObserverName[];

/** An observer that cuts off less is preferred as long as its error is no larger than the least one by this factor. */
const NEAR_ENOUGH = 1.02;

/** Statistics with the sums that observers share. */
export function observed(statistics: StatisticsData): Observed {
  return { ...statistics, sums: new HistogramSums(statistics.histogram) };
}

/** A range, who chose it, and the mean squared error it is expected to make. */
export interface ChosenRange extends NumberRange {
  readonly observer: ObserverName;
  readonly expectedError: number;
}

/** The range that an observer chooses. */
export function observedRange(seen: Observed, observer: ObserverName, scheme: QuantizationScheme): ChosenRange {
  const range = OBSERVERS[observer](seen, scheme);
  return { ...range, observer, expectedError: expectedError(seen, range, scheme) };
}

/** The range with the smallest expected error among the observers. */
export function cheapestRange(seen: Observed, scheme: QuantizationScheme): ChosenRange {
  const ranges = CHOICES.map((observer) => observedRange(seen, observer, scheme));
  const least = Math.min(...ranges.map((range) => range.expectedError));
  return ranges.find((range) => range.expectedError <= least * NEAR_ENOUGH) ?? (ranges[0] as ChosenRange);
}
