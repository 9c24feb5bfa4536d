import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { ScoredGroup } from './allocate.js';
import { lowestUnits } from './allocate.js';
import type { LayerCost } from './budgeted-allocation.js';
import type { Dependencies } from './dependency-groups.js';
import { type WeightAxis, weightAxesOf } from './unit-weights.js';

/**
 * Layers with what they cost, and what of that is left as groups get narrower, by the sizes of their weights alone: a layer with
 * half of its inputs and half of its outputs costs a quarter.
 * @param levels numbers of removed units, by group
 * @param costOf the cost of a node of the whole model, such as its multiply-adds
 */
export function layerCosts(
  model: Model,
  dependencies: Dependencies,
  groups: readonly ScoredGroup[],
  levels: readonly (readonly number[])[],
  costOf: (node: Node) => number,
): LayerCost[] {
  const shares = new Map<Node, Map<number, readonly number[]>>();
  for (const [at, group] of groups.entries()) {
    const byNode = new Map<Node, WeightAxis[]>();
    for (const axis of weightAxesOf(dependencies, group.group))
      if (axis.role !== 'scales') byNode.set(axis.node, [...(byNode.get(axis.node) ?? []), axis]);
    const own = (levels[at] ?? []).map((removed) => removedIndices(group, removed));
    for (const [node, axes] of byNode) {
      const known = shares.get(node) ?? new Map<number, readonly number[]>();
      known.set(
        at,
        own.map((gone) => leftOf(axes, gone)),
      );
      shares.set(node, known);
    }
  }
  return [...model.graph.nodes].flatMap((node) => {
    const cost = costOf(node);
    return cost > 0 ? [{ cost, shares: shares.get(node) ?? new Map() }] : [];
  });
}

/** How many indices of each axis go with so many units. */
function removedIndices(group: ScoredGroup, count: number): ReadonlyMap<number, number> {
  const gone = new Map<number, number>();
  for (const { parts } of lowestUnits(group, count))
    for (const { axis, indices } of parts) gone.set(axis, (gone.get(axis) ?? 0) + indices.length);
  return gone;
}

/** The share of the largest weight that is left. */
function leftOf(axes: readonly WeightAxis[], gone: ReadonlyMap<number, number>): number {
  const largest = Math.max(...axes.map(({ tensor }) => tensor.size));
  let share = 1;
  for (const { tensor, at, axis } of axes) {
    if (tensor.size < largest) continue;
    const size = tensor.dims[at] as number;
    share *= (size - (gone.get(axis) ?? 0)) / size;
  }
  return share;
}
