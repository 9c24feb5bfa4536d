import type { NumberRange } from '../scheme.js';
import { expectedError } from './expected-error.js';
import { type Observed, type Observer, within } from './observer.js';

/** Ranges that are looked at are these shares of what was seen. */
const STEPS = 100;
const LEAST_SHARE = 0.05;

/**
 * The range with the smallest expected squared error: both ends are drawn in together, then each alone, as long as the error falls. Symmetric
 * schemes draw in the magnitude.
 */
export const mseRange: Observer = (observed, scheme) => {
  const error = (range: NumberRange) => expectedError(observed, range, scheme);
  const { min, max } = observed;
  if (scheme.symmetric) {
    const largest = Math.max(-min, max);
    return within(
      bestOf(
        shares((share) => ({ min: -largest * share, max: largest * share })),
        error,
      ),
      observed,
    );
  }
  let range = bestOf(
    shares((share) => ({ min: min * share, max: max * share })),
    error,
  );
  for (let round = 0; round < 2; round++) {
    const { max: high } = range;
    range = bestOf([range, ...shares((share) => ({ min: min * share, max: high }))], error);
    const { min: low } = range;
    range = bestOf([range, ...shares((share) => ({ min: low, max: max * share }))], error);
  }
  return within(range, observed as Observed);
};

function shares(range: (share: number) => NumberRange): NumberRange[] {
  return Array.from({ length: STEPS }, (_, step) => range(1 - (step * (1 - LEAST_SHARE)) / (STEPS - 1)));
}

/** The first of those with the smallest error. */
function bestOf(ranges: readonly NumberRange[], error: (range: NumberRange) => number): NumberRange {
  let best = ranges[0] as NumberRange;
  let least = error(best);
  for (const range of ranges.slice(1)) {
    const own = error(range);
    if (own < least) [best, least] = [range, own];
  }
  return best;
}
