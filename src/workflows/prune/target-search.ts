import type { PruneUnit } from '../../prune/dependency-groups.js';
import type { PruneOptions } from '../options.js';
import type { ModelSize } from './model-size.js';

/** Steps of the search for an amount: 2^-12 of a group is less than one unit of nearly all. */
const SEARCH_STEPS = 12;

/** An amount and the units that it takes. */
export interface ChosenUnits {
  readonly amount: number;
  readonly removed: readonly PruneUnit[];
}

/** What a size is to be, at most, as shares of another. */
export type SizeTarget = Pick<PruneOptions, 'targetMacs' | 'targetParams'>;

export function reaches(size: ModelSize, before: ModelSize, { targetMacs, targetParams }: SizeTarget): boolean {
  return (
    (targetMacs === undefined || size.macs <= targetMacs * before.macs) &&
    (targetParams === undefined || size.parameters <= targetParams * before.parameters)
  );
}

/** What a search looks at: units by amount, and the size that they leave. */
export interface Searched {
  readonly unitsFor: (amount: number) => readonly PruneUnit[];
  readonly sizeOf: (removed: readonly PruneUnit[]) => ModelSize;
}

/** The smallest amount after which a size is reached. @returns the size of the largest amount where none is enough */
export function smallestAmount(
  { unitsFor, sizeOf }: Searched,
  isReached: (size: ModelSize) => boolean,
): ChosenUnits | ModelSize {
  const attempt = (amount: number) => {
    const removed = unitsFor(amount);
    return { amount, removed, size: sizeOf(removed) };
  };
  let best = attempt(1 - Number.EPSILON);
  if (!isReached(best.size)) return best.size;
  for (let low = 0, high = 1, step = 0; step < SEARCH_STEPS; step++) {
    const middle = (low + high) / 2;
    const tried = attempt(middle);
    if (isReached(tried.size)) [best, high] = [tried, middle];
    else low = middle;
  }
  return { amount: best.amount, removed: best.removed };
}
