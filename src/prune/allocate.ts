import { countOf } from './count-of.js';
import type { DependencyGroup, PruneUnit } from './dependency-groups.js';

/** A group with the scores of its units. */
export interface ScoredGroup {
  readonly group: DependencyGroup;
  readonly scores: Float64Array;
  /** Kept units are a multiple of this, where the group is large enough. */
  readonly align: number;
}

export interface AllocationOptions {
  /** Of the units of each group: a fraction below 1, or a count. */
  readonly amount: number;
  /** Compare the scores of all groups, each divided by the mean of its group, instead of cutting each alike. Default false. */
  readonly global?: boolean;
  /** Scores of different groups compare as they are (`lamp`): they are not divided. Default false. */
  readonly comparable?: boolean;
}

/** At most this share of a group goes where all groups are weighed against each other: no layer becomes a bottleneck by accident. */
const LARGEST_SHARE = 0.9;

/** The units of the lowest scores: of each group, or of all. Of equal scores the first goes. At least one unit of a group stays. */
export function allocate(
  groups: readonly ScoredGroup[],
  { amount, global = false, comparable = false }: AllocationOptions,
): PruneUnit[] {
  const counts = global
    ? globalCounts(groups, amount, comparable)
    : groups.map(({ group }) => countOf(amount, group.units.length));
  return groups.flatMap((group, at) =>
    lowestUnits(group, aligned(counts[at] as number, group.group.units.length, group.align)),
  );
}

/** The units of the lowest scores; of equal scores the first. */
export function lowestUnits({ group, scores }: ScoredGroup, count: number): PruneUnit[] {
  return lowest(scores)
    .slice(0, count)
    .map((unit) => group.units[unit] as PruneUnit);
}

/** Moves a count so that what is kept is the nearest multiple of `align`; never so that nothing, or all, of a cut group is kept. */
export function aligned(removed: number, size: number, align: number): number {
  if (removed === 0 || align <= 1 || size < 2 * align) return removed;
  const kept = Math.max(align, Math.round((size - removed) / align) * align);
  return kept >= size ? removed : size - kept;
}

function globalCounts(groups: readonly ScoredGroup[], amount: number, comparable: boolean): number[] {
  const all: { readonly group: number; readonly score: number }[] = [];
  for (const [at, { scores }] of groups.entries()) {
    const mean = comparable ? 1 : scores.reduce((sum, score) => sum + score, 0) / scores.length || 1;
    for (const score of scores) all.push({ group: at, score: score / mean });
  }
  let left = countOf(amount, all.length);
  const counts = groups.map(() => 0);
  all.sort((a, b) => a.score - b.score);
  for (const { group } of all) {
    if (left === 0) break;
    const size = groups[group]?.scores.length ?? 0;
    if ((counts[group] as number) >= Math.min(size - 1, Math.floor(size * LARGEST_SHARE))) continue;
    counts[group] = (counts[group] as number) + 1;
    left--;
  }
  return counts;
}

/** Positions by ascending score. */
export function lowest(scores: Float64Array): number[] {
  return [...scores.keys()].sort((a, b) => (scores[a] as number) - (scores[b] as number) || a - b);
}
