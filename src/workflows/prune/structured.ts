import type { Model } from '../../ir/model.js';
import type { Dependencies, DependencyGroup, PruneUnit } from '../../prune/dependency-groups.js';
import { groupKind } from '../../prune/group-kind.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import type { PrunedGroupReport, WholeAxisReport } from '../../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import { type Allocator, evenAllocator } from './allocators.js';
import { outOfReach, tooLittle, tooMuch } from './cut-errors.js';
import type { CutPlan } from './cut-plan.js';
import { type ChosenUnits, reaches, smallestAmount } from './target-search.js';

/** A cut model, and how it came about. */
export interface StructuredCut {
  /** The same nodes as those of `base`, not cleaned yet. */
  readonly model: Model;
  readonly kept: KeptAxes;
  /** The model that was cut: cleaned, functions inlined. */
  readonly base: Model;
  readonly dependencies: Dependencies;
  readonly removed: ReadonlySet<PruneUnit>;
  readonly amount: number;
  readonly groups: readonly PrunedGroupReport[];
  readonly whole: readonly WholeAxisReport[];
}

/** Cuts units out of a copy. @param amount as it is to be reported */
export function finishCut(plan: CutPlan, units: readonly PruneUnit[], amount: number): StructuredCut {
  const { base, dependencies } = plan;
  const removed = new Set(units);
  const { model, kept } = plan.cut(removed);
  return {
    model,
    kept,
    base,
    dependencies,
    removed,
    amount,
    groups: dependencies.groups.map((group) => groupReport(dependencies, group, removed)),
    whole: wholeAxes(dependencies),
  };
}

/**
 * The units of the amount that was asked for; of a target, of the smallest amount that reaches it. Where losses decide, an amount
 * stands for the multiply-adds that the same amount of every group leaves.
 * @throws SO3101 where nothing would be cut, or a target cannot be reached
 */
export function chooseUnits(plan: CutPlan, allocator: Allocator, isEven: boolean, options: PruneOptions): ChosenUnits {
  const { amount = PRUNE_DEFAULTS.amount, targetMacs, targetParams } = options;
  const sizeOf = (units: readonly PruneUnit[]) => plan.sizeOf(units);
  if (targetMacs === undefined && targetParams === undefined) {
    checkCount(plan, amount);
    const even = (isEven ? allocator : evenAllocator(plan, options, false))(amount);
    if (even.length === 0) throw tooLittle(amount);
    if (isEven) return { amount, removed: even };
    const wanted = plan.sizeOf(even);
    const found = smallestAmount({ unitsFor: allocator, sizeOf }, ({ macs, parameters }) =>
      wanted.macs > 0 ? macs <= wanted.macs : parameters <= wanted.parameters,
    );
    return 'removed' in found ? found : { amount: 1, removed: allocator(1) };
  }
  const found = smallestAmount({ unitsFor: allocator, sizeOf }, (size) => reaches(size, plan.before, options));
  if ('removed' in found) return found;
  throw outOfReach(
    plan.before,
    found,
    options,
    isEven ? undefined : 'with a tenth of every group left, which is as far as this allocation goes',
  );
}

/** A number of units is one that some group has, and one more. @throws SO3101 */
function checkCount({ scored }: CutPlan, amount: number): void {
  const most = scored.reduce((a, b) => (b.group.units.length > a.group.units.length ? b : a));
  if (amount >= most.group.units.length) throw tooMuch(amount, most.group);
}

/** The share of all units of the chosen groups that goes. */
export function shareOf({ scored }: CutPlan, removed: readonly PruneUnit[]): number {
  return removed.length / scored.reduce((sum, { group }) => sum + group.units.length, 0);
}

function groupReport(
  dependencies: Dependencies,
  group: DependencyGroup,
  removed: ReadonlySet<PruneUnit>,
): PrunedGroupReport {
  const { name, units } = group;
  const kept = units.filter((unit) => !removed.has(unit)).length;
  return { name, kind: groupKind(dependencies, group), units: units.length, kept };
}

function wholeAxes({ frozen }: Dependencies): WholeAxisReport[] {
  return frozen.map(({ value, axis, reason }) => {
    const size = value.type?.kind === 'tensor' ? value.type.shape?.[axis] : undefined;
    return { weight: value.name, axis, size: typeof size === 'number' ? size : 0, reason: reason.text };
  });
}
