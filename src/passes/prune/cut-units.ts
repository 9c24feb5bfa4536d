import { bug } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { AxisId } from '../../prune/axis-table.js';
import type { Dependencies, PruneUnit } from '../../prune/dependency-groups.js';
import { KeptAxes } from '../../prune/kept-axes.js';
import { takeAxes } from '../../tensor/take-axes.js';
import type { Tensor } from '../../tensor/tensor.js';
import { replaceConstantInput } from '../constants.js';
import { CutNode } from './cut-node.js';
import { CUT_RULES } from './cut-rules.js';

/**
 * Cuts units out of a model: weights lose their indices, and sizes that are written down in shapes, splits, slices, pads and
 * attributes follow. Changes the model in place.
 * @param dependencies of this very model, as it is
 * @throws a bug error where nothing of an axis would be left
 */
export function cutUnits(model: Model, dependencies: Dependencies, removed: Iterable<PruneUnit>): void {
  const { table } = dependencies;
  const kept = new KeptAxes(table, removed);
  if (kept.isEmpty) return;
  if (kept.emptied() !== undefined) throw bug('a cut would leave nothing of an axis');
  // What nodes say of sizes is read before any type changes.
  const cuts = [...model.graph.nodes].map((node) => new CutNode(node, table, kept));
  const seen = new Map<Value, readonly AxisId[]>();
  for (const cut of cuts) {
    const { node } = cut;
    CUT_RULES.get(node.domain === '' ? node.opType : `${node.domain}:${node.opType}`)?.(cut);
    for (const slot of node.inputs.keys()) cutConstant(cut, slot, seen);
  }
  for (const [value, axes] of seen) cutTensor(value, axes, kept);
  for (const { node } of cuts) for (const output of node.outputs) if (output) retype(output, table.known(output), kept);
}

/** A constant that is read per element is cut for this reader; others once for all. */
function cutConstant(
  { node, table, kept, original }: CutNode,
  slot: number,
  seen: Map<Value, readonly AxisId[]>,
): void {
  const value = original(slot);
  const tensor = constantTensor(value);
  if (!value || !tensor || node.input(slot) !== value) return;
  const axes = table.known(value, node, slot);
  if (axes === undefined || !axes.some((axis) => kept.of(axis))) return;
  if (table.known(value) === axes) seen.set(value, axes);
  else replaceConstantInput(node, slot, cutTo(tensor, axes, kept));
}

function cutTensor(value: Value, axes: readonly AxisId[], kept: KeptAxes): void {
  const tensor = constantTensor(value);
  if (!tensor) return;
  const [use] = value.uses;
  const cut = cutTo(tensor, axes, kept);
  if (value.tensor) {
    value.tensor = cut;
    value.type = tensorType(cut.dataType, cut.dims);
  } else if (use && value.uses.size === 1) replaceConstantInput(use.node, use.slot, cut);
  else for (const each of [...value.uses]) replaceConstantInput(each.node, each.slot, cut);
}

function cutTo(tensor: Tensor, axes: readonly AxisId[], kept: KeptAxes): Tensor {
  return takeAxes(
    tensor,
    axes.map((axis) => kept.of(axis)),
  );
}

function retype(value: Value, axes: readonly AxisId[] | undefined, kept: KeptAxes): void {
  const { type } = value;
  if (type?.kind !== 'tensor' || axes === undefined || type.shape === undefined) return;
  if (!axes.some((axis) => kept.of(axis))) return;
  value.type = tensorType(
    type.dataType,
    type.shape.map((dim, at) => kept.of(axes[at])?.length ?? dim),
  );
}
