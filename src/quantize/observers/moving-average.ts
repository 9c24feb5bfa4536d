import { type Observer, within } from './observer.js';

/**
 * The mean over samples of their smallest and of their largest value. An exponential average would depend on the order of the samples; this is
 * what it tends to. It depends on where one sample ends, so samples run one at a time for it.
 */
export const movingAverageRange: Observer = (observed) =>
  within({ min: observed.meanMin, max: observed.meanMax }, observed);
