import type { Model } from '../ir/model.js';
import { nodeLabel } from '../ir/problem.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import type { AxisId } from './axis-table.js';
import { type Dependencies, type DependencyGroup, findDependencies } from './dependency-groups.js';
import { type GroupKind, groupKind } from './group-kind.js';
import type { AxisRole, DependencyOptions } from './rule-context.js';

/** An axis of a tensor that units of a group have indices of. */
export interface GroupAxis {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Whether it is a constant, such as a weight; otherwise it is computed. */
  readonly isConstant: boolean;
  /** Position among the axes of the tensor, and its size. */
  readonly axis: number;
  readonly size: number;
  /** What layers do with it: a weight `produces` the units or `consumes` them, a norm `scales` them. Empty for other tensors. */
  readonly readers: readonly GroupReader[];
}

/** A node that computes with an axis of a weight. */
export interface GroupReader {
  readonly node: string;
  readonly operator: string;
  readonly role: AxisRole;
}

/** Units that may be weighed against each other, and what goes with each. */
export interface DependencyGroupView {
  /** Named for the first node whose weights make the units. */
  readonly name: string;
  readonly kind: GroupKind;
  /** Every axis that shrinks with the group: of weights, and of the tensors between them. */
  readonly axes: readonly GroupAxis[];
  /** For each unit, for each of `axes`: the indices that go with it. */
  readonly units: readonly (readonly (readonly number[])[])[];
}

/**
 * What can be cut from a model: groups of units, such as the channels of a convolution with everything that depends on them. Found by
 * propagation over the axes of all tensors of the main graph; no weights are read, and nothing is changed but inferred types.
 * Local functions count as unknown operators: inline them before.
 */
export function dependencyGroups(model: Model, options: DependencyOptions = {}): DependencyGroupView[] {
  const dependencies = findDependencies(model, { heads: true, ...options });
  return dependencies.groups.map((group) => viewOf(dependencies, group));
}

/** A group as plain data. */
export function viewOf(dependencies: Dependencies, group: DependencyGroup): DependencyGroupView {
  const { places } = dependencies.table;
  // Factors of axes that are several in one are of no tensor.
  const shown = group.axes.flatMap((id) => {
    const { value, axis, size, reader } = places[id] ?? {};
    return value && axis !== undefined && size !== undefined ? [{ id, value, axis, size, reader }] : [];
  });
  const slots = new Map(shown.map(({ id }, at) => [id, at]));
  return {
    name: group.name,
    kind: groupKind(dependencies, group),
    axes: shown.map(({ id, value, axis, size, reader }) => ({
      tensor: value.name,
      isConstant: isConstant(value),
      axis,
      size,
      readers: readersOf(group, id).filter(({ node }) => reader === undefined || node === nodeLabel(reader.node)),
    })),
    units: group.units.map(({ parts }) => {
      const indices: (readonly number[])[] = shown.map(() => []);
      for (const part of parts) {
        const slot = slots.get(part.axis);
        if (slot !== undefined) indices[slot] = part.indices;
      }
      return indices;
    }),
  };
}

function isConstant(value: Value): boolean {
  return constantTensor(value) !== undefined;
}

function readersOf({ marks }: DependencyGroup, id: AxisId): GroupReader[] {
  return marks
    .filter(({ axis }) => axis === id)
    .map(({ node, role }) => ({ node: nodeLabel(node), operator: node.opType, role }));
}
