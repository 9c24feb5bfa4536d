import type { Model } from '../../ir/model.js';
import type { ScoredGroup } from '../../prune/allocate.js';
import {
  type Dependencies,
  type DependencyGroup,
  findDependencies,
  type PruneUnit,
} from '../../prune/dependency-groups.js';
import { scoreUnits } from '../../prune/unit-scores.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { CutPlan, Measure } from './cut-plan.js';

/** Sorts before every score, and adds nothing to a sum. */
const GONE = -Number.MIN_VALUE;

/**
 * The plan with scores of the units that are left, as they are in a network that was cut and repaired; those that are gone come
 * first, so that a larger cut takes them too.
 * @param pruned `removed` cut out of the base of the plan; not cleaned
 */
export async function rescored(
  plan: CutPlan,
  removed: Iterable<PruneUnit>,
  pruned: Model,
  options: PruneOptions,
  measure: Measure | undefined,
): Promise<CutPlan> {
  const gone = new Set(removed);
  const dependencies = findDependencies(pruned, {
    throughNormalization: options.throughNormalization ?? false,
    heads: true,
  });
  const byPlace = groupsByPlace(dependencies);
  const pairs = plan.scored.map((group) => {
    const kept = group.group.units.length - group.group.units.filter((unit) => gone.has(unit)).length;
    const twin = placesOf(plan.dependencies, group.group)
      .map((place) => byPlace.get(place))
      .find((each) => each?.units.length === kept);
    return { group, twin };
  });
  const twins = pairs.flatMap(({ twin }) => (twin ? [twin] : []));
  const measured = await measure?.(pruned, dependencies, twins);
  const { score = 'l2', seed = PRUNE_DEFAULTS.seed } = options;
  return plan.rescored(
    pairs.map(({ group, twin }) => {
      if (!twin) return withScores(group, gone, undefined);
      const own = measured?.get(twin) ?? scoreUnits(twin, weightAxesOf(dependencies, twin), { score, seed });
      return withScores(group, gone, own);
    }),
  );
}

/** @param scores of the units that are left, in order; undefined where they are as before */
function withScores(group: ScoredGroup, gone: ReadonlySet<PruneUnit>, scores: Float64Array | undefined): ScoredGroup {
  let at = 0;
  const all = group.group.units.map((unit, index) => {
    if (gone.has(unit)) return GONE;
    return scores ? (scores[at++] as number) : (group.scores[index] as number);
  });
  return { ...group, scores: Float64Array.from(all) };
}

function groupsByPlace(dependencies: Dependencies): Map<string, DependencyGroup> {
  const groups = new Map<string, DependencyGroup>();
  for (const group of dependencies.groups)
    for (const place of placesOf(dependencies, group)) if (!groups.has(place)) groups.set(place, group);
  return groups;
}

/** Names of computed tensors with the axis that the units of a group are on: a cut leaves them as they are. */
function placesOf({ table }: Dependencies, group: DependencyGroup): string[] {
  return group.axes.flatMap((axis) => {
    const { value, axis: at } = table.places[axis] ?? {};
    return value?.producer && !value.producer.is('Constant') ? [`${value.name} ${at}`] : [];
  });
}
