/** Names of the observers, as users write them. */
export type ObserverName = 'minmax' | 'percentile' | 'entropy' | 'mse' | 'moving-average';
export const OBSERVER_NAMES = [
  'minmax',
  'percentile',
  'entropy',
  'mse',
  'moving-average',
] as const satisfies readonly ObserverName[];

/** How `quantizeModel` chooses ranges of activations: an observer, or the best of them for each tensor, confirmed on outputs. */
export const RANGE_CHOICES = ['auto', ...OBSERVER_NAMES] as const;
/** One of `RANGE_CHOICES`. */
export type RangeChoice = (typeof RANGE_CHOICES)[number];
