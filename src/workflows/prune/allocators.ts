import { allocate, lowestUnits } from '../../prune/allocate.js';
import { allocateWithin, type LayerCost, totalCost } from '../../prune/budgeted-allocation.js';
import type { PruneUnit } from '../../prune/dependency-groups.js';
import type { WidthLevel } from '../../prune/width-levels.js';
import type { PruneOptions } from '../options.js';
import type { CutPlan } from './cut-plan.js';

/** Which units go at an amount from 0 to 1 (of `even`, also a count). */
export type Allocator = (amount: number) => readonly PruneUnit[];

/** The same share of each group, or of all groups weighed against each other. */
export function evenAllocator({ scored }: CutPlan, { score }: PruneOptions, global: boolean): Allocator {
  return (amount) => allocate(scored, { amount, global, comparable: score === 'lamp' });
}

/**
 * The smallest sum of losses at a cost: at amount 0 of the whole model, at 1 of the narrowest widths that are looked at.
 * @param levels of each group of the plan, with their losses
 */
export function lossAllocator(
  { scored }: CutPlan,
  levels: readonly (readonly WidthLevel[])[],
  layers: readonly LayerCost[],
): Allocator {
  const whole = totalCost(
    layers,
    levels.map(() => 0),
  );
  const least = totalCost(
    layers,
    levels.map((each) => each.length - 1),
  );
  return (amount) => {
    const chosen = allocateWithin(levels, layers, whole - amount * (whole - least));
    return scored.flatMap((group, at) => lowestUnits(group, levels[at]?.[chosen[at] as number]?.removed ?? 0));
  };
}
