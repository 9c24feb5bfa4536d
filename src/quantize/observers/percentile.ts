import { type Observer, within } from './observer.js';

/** Percent of the values that stay inside. */
export const PERCENTILE = 99.999;

/**
 * Cuts off the outermost values: symmetric schemes those of the largest magnitude, others the same share on each side. As ONNX Runtime's
 * percentile calibrator, on finer bins.
 */
export const percentileRange: Observer = (observed, { symmetric }) => {
  const { sums } = observed;
  const cut = (1 - PERCENTILE / 100) * sums.total;
  if (!symmetric) {
    return within({ min: sums.quantile(cut / 2), max: sums.quantile(sums.total - cut / 2) }, observed);
  }
  // The smallest magnitude that at least the wanted count stays within, by bisection.
  let low = 0;
  let high = Math.max(-observed.min, observed.max);
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (sums.countBelow(middle) - sums.countBelow(-middle) < sums.total - cut) low = middle;
    else high = middle;
  }
  return within({ min: -high, max: high }, observed);
};
