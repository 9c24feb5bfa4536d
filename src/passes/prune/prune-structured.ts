import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { allocate } from '../../prune/allocate.js';
import { checkAmount } from '../../prune/amounts.js';
import { type DependencyGroup, findDependencies } from '../../prune/dependency-groups.js';
import { type DependencyGroupView, viewOf } from '../../prune/dependency-view.js';
import type { GroupKind } from '../../prune/group-kind.js';
import type { DependencyOptions } from '../../prune/rule-context.js';
import type { UnitScore } from '../../prune/score-names.js';
import type { NodeFilter } from '../node-filter.js';
import { cutUnits } from './cut-units.js';
import { chosenGroups, scoredGroup } from './scored-groups.js';

/** Options of `pruneStructured`. */
export interface PruneStructuredOptions extends NodeFilter, DependencyOptions {
  /** Of the units of each group: a share below 1 (rounded half to even), or a count from 1 on. Default 0.3. */
  readonly amount?: number;
  /** Weigh all groups against each other. Default false. */
  readonly global?: boolean;
  /** Only groups of these kinds. Default all. */
  readonly kinds?: readonly GroupKind[];
  /** What makes a unit important, from its weights. Default `l2`. */
  readonly score?: Exclude<UnitScore, 'activation'>;
  /** Importance by other means: one finite number for each unit of a group; undefined for what `score` says. */
  readonly scoreGroup?: (group: DependencyGroupView) => ArrayLike<number> | undefined;
  /** Kept units are a multiple of this in groups of at least twice as many; of heads, 1. Default 8. */
  readonly align?: number;
  /** Of the score `random`. Default 0. */
  readonly seed?: number;
}

/** Defaults of `pruneStructured`. */
export const PRUNE_STRUCTURED_DEFAULTS = {
  amount: 0.3,
  global: false,
  score: 'l2',
  align: 8,
  seed: 0,
} as const satisfies PruneStructuredOptions;

/** What became of a group. */
export interface CutGroup {
  readonly group: DependencyGroupView;
  /** Positions among the units of the group, ascending: what is left. */
  readonly kept: readonly number[];
}

/**
 * Cuts the least important units out of a model, in place: channels, heads and neurons go with everything that depends on them, and
 * sizes that the graph states follow. Runs nothing and repairs nothing: that is `pruneModel`. Weights are cut when they are
 * read. Local functions are unknown operators: inline them before.
 * @returns every group of the model, also those that were left
 * @throws SO1006 for an amount that means nothing or scores that do not fit, SO1003 for a layer that is not there, SO3101 where
 *   nothing can be cut
 */
export function pruneStructured(model: Model, options: PruneStructuredOptions = {}): CutGroup[] {
  const { amount = PRUNE_STRUCTURED_DEFAULTS.amount, global = PRUNE_STRUCTURED_DEFAULTS.global } = options;
  checkAmount(amount);
  const dependencies = findDependencies(model, {
    heads: true,
    throughNormalization: options.throughNormalization ?? false,
  });
  const views = new Map(dependencies.groups.map((group) => [group, viewOf(dependencies, group)]));
  const scoring = { ...PRUNE_STRUCTURED_DEFAULTS, ...options };
  const scored = chosenGroups(model, dependencies, options).map((group) => {
    const given = givenScores(group, views.get(group) as DependencyGroupView, options);
    return scoredGroup(dependencies, group, scoring, given);
  });
  const removed = new Set(allocate(scored, { amount, global, comparable: scoring.score === 'lamp' }));
  if (removed.size === 0) {
    throw new ServeOptError('SO3101', 'Nothing can be cut from this model', {
      why:
        scored.length === 0
          ? 'it has no such groups of units'
          : `an amount of ${amount} rounds to no unit in any group`,
      hint: 'explainDependencies(model) says what stays, and why',
    });
  }
  cutUnits(model, dependencies, removed);
  return [...views].map(([{ units }, group]) => ({
    group,
    kept: [...units.keys()].filter((unit) => !removed.has(units[unit] as (typeof units)[number])),
  }));
}

/** Scores of the caller. @throws SO1006 where they do not fit */
function givenScores(
  { units, name }: DependencyGroup,
  view: DependencyGroupView,
  { scoreGroup }: PruneStructuredOptions,
): Float64Array | undefined {
  const given = scoreGroup?.(view);
  if (given === undefined) return undefined;
  const scores = Float64Array.from(given);
  if (scores.length === units.length && scores.every(Number.isFinite)) return scores;
  throw new ServeOptError('SO1006', `The scores of the group "${name}" do not fit`, {
    why: `it has ${units.length} units, and needs a finite number for each`,
  });
}
