import type { Model } from '../../ir/model.js';
import type { ScoredGroup } from '../../prune/allocate.js';
import type { Dependencies, DependencyGroup } from '../../prune/dependency-groups.js';
import { type GroupKind, groupKind } from '../../prune/group-kind.js';
import type { UnitScore } from '../../prune/score-names.js';
import { scoreUnits } from '../../prune/unit-scores.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import { matchNodes, type NodeFilter } from '../node-filter.js';

/** Which groups may be cut. */
export interface GroupFilter extends NodeFilter {
  /** Only groups of these kinds. Default all. */
  readonly kinds?: readonly GroupKind[] | undefined;
}

/** How groups are scored from their weights, and which widths they may have. */
export interface GroupScoring {
  readonly score: UnitScore;
  /** Kept units are a multiple of this in groups of at least twice as many; of heads, 1. */
  readonly align: number;
  /** Of the score `random`. */
  readonly seed: number;
}

/** The groups that a filter means, by the nodes that make or scale their units. @throws SO1003 for a pattern that means no node */
export function chosenGroups(
  model: Model,
  dependencies: Dependencies,
  { kinds, include = [], exclude = [] }: GroupFilter,
): DependencyGroup[] {
  const wanted = include.length > 0 ? matchNodes(model, include) : undefined;
  const unwanted = matchNodes(model, exclude);
  return dependencies.groups.filter((group) => {
    if (kinds && !kinds.includes(groupKind(dependencies, group))) return false;
    const nodes = group.marks.filter(({ role }) => role !== 'consumes').map(({ node }) => node);
    return !nodes.some((node) => unwanted.has(node)) && (!wanted || nodes.some((node) => wanted.has(node)));
  });
}

/** A group with the scores given, else with those of its weights. */
export function scoredGroup(
  dependencies: Dependencies,
  group: DependencyGroup,
  { score, align, seed }: GroupScoring,
  given: Float64Array | undefined,
): ScoredGroup {
  const scores = given ?? scoreUnits(group, weightAxesOf(dependencies, group), { score, seed });
  return { group, scores, align: groupKind(dependencies, group) === 'heads' ? 1 : align };
}
