import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { allocate, type ScoredGroup } from '../../prune/allocate.js';
import { checkAmount } from '../../prune/amounts.js';
import { type Dependencies, type DependencyGroup, findDependencies } from '../../prune/dependency-groups.js';
import { type DependencyGroupView, viewOf } from '../../prune/dependency-view.js';
import { type GroupKind, groupKind } from '../../prune/group-kind.js';
import type { DependencyOptions } from '../../prune/rule-context.js';
import type { UnitScore } from '../../prune/score-names.js';
import { scoreUnits } from '../../prune/unit-scores.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import { matchNodes, type NodeFilter } from '../node-filter.js';
import { cutUnits } from './cut-units.js';

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
  const views = dependencies.groups.map((group) => viewOf(dependencies, group));
  const isChosen = chooser(model, dependencies, options);
  const scored = dependencies.groups.flatMap((group, at) =>
    isChosen(group) ? [scoredGroup(dependencies, group, views[at] as DependencyGroupView, options)] : [],
  );
  const removed = new Set(allocate(scored, { amount, global }));
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
  return dependencies.groups.map(({ units }, at) => ({
    group: views[at] as DependencyGroupView,
    kept: [...units.keys()].filter((unit) => !removed.has(units[unit] as (typeof units)[number])),
  }));
}

function chooser(
  model: Model,
  dependencies: Dependencies,
  { kinds, include = [], exclude = [] }: PruneStructuredOptions,
): (group: DependencyGroup) => boolean {
  const wanted = include.length > 0 ? matchNodes(model, include) : undefined;
  const unwanted = matchNodes(model, exclude);
  return (group) => {
    if (kinds && !kinds.includes(groupKind(dependencies, group))) return false;
    const nodes = group.marks.filter(({ role }) => role !== 'consumes').map(({ node }) => node);
    return !nodes.some((node) => unwanted.has(node)) && (!wanted || nodes.some((node) => wanted.has(node)));
  };
}

function scoredGroup(
  dependencies: Dependencies,
  group: DependencyGroup,
  view: DependencyGroupView,
  options: PruneStructuredOptions,
): ScoredGroup {
  const { score, seed, align } = { ...PRUNE_STRUCTURED_DEFAULTS, ...options };
  const given = options.scoreGroup?.(view);
  if (given && (given.length !== group.units.length || !Array.from(given).every(Number.isFinite))) {
    throw new ServeOptError('SO1006', `The scores of the group "${group.name}" do not fit`, {
      why: `it has ${group.units.length} units, and needs a finite number for each`,
    });
  }
  const scores = given
    ? Float64Array.from(given)
    : scoreUnits(group, weightAxesOf(dependencies, group), { score, seed });
  return { group, scores, align: view.kind === 'heads' ? 1 : align };
}
