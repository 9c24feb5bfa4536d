/** Names of the observers, as users write them. */
export type ObserverName = 'minmax' | 'percentile' | 'entropy' | 'mse' | 'moving-average';
export const OBSERVER_NAMES = [
  'minmax',
  'percentile',
  'entropy',
  'mse',
  'moving-average',
] as const satisfies readonly ObserverName[];
