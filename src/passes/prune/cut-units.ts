import { bug } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { type AxisId, ONE } from '../../prune/axis-table.js';
import type { Dependencies, PruneUnit } from '../../prune/dependency-groups.js';
import { KeptAxes } from '../../prune/kept-axes.js';
import { fromStart } from '../../prune/rules/rule.js';
import { takeAxes } from '../../tensor/take-axes.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused, replaceConstantInput } from '../constants.js';
import { CutNode } from './cut-node.js';
import { CUT_RULES } from './cut-rules.js';
import { editedSizes, type SizeEdit } from './size-edits.js';

/**
 * Cuts units out of a model: weights lose their indices, and sizes that are written down in shapes, splits, slices, pads and
 * attributes follow. Changes the model in place.
 * @param dependencies of this very model, as it is
 * @throws a bug error where nothing of an axis would be left
 */
export function cutUnits(model: Model, dependencies: Dependencies, removed: Iterable<PruneUnit>): KeptAxes {
  const { table, elements } = dependencies;
  const kept = new KeptAxes(table, removed);
  if (kept.isEmpty) return kept;
  if (kept.emptied() !== undefined) throw bug('a cut would leave nothing of an axis');
  // What nodes say of sizes is read before any type changes.
  const cuts = [...model.graph.nodes].map((node) => new CutNode(node, table, kept, elements));
  const seen = new Map<Value, readonly AxisId[]>();
  for (const cut of cuts) {
    const { node } = cut;
    CUT_RULES.get(node.domain === '' ? node.opType : `${node.domain}:${node.opType}`)?.(cut);
    for (const slot of node.inputs.keys()) cutConstant(cut, slot, seen);
  }
  for (const [value, axes] of seen) cutTensor(value, axes, kept);
  for (const cut of cuts) {
    if (cut.node.is('Shape')) restoreSizes(cut);
    for (const [index, output] of cut.node.outputs.entries()) if (output) retype(output, cut, cut.output(index));
  }
  return kept;
}

/** Shape gives the sizes of before, so that whatever is computed with them stays as it was. */
function restoreSizes(cut: CutNode): void {
  const { node, table, kept } = cut;
  const rank = cut.input(0).length;
  const end = fromStart(node.int('end', rank), rank);
  const axes = cut.input(0).slice(Math.max(0, fromStart(node.int('start', 0), rank)), Math.max(0, end));
  const edits = new Map<number, SizeEdit>();
  for (const [at, axis] of axes.entries()) {
    const edit = cut.sizeEdit(axis);
    if (kept.of(axis)) edits.set(at, { value: table.size(axis) });
    else if (edit && 'times' in edit) edits.set(at, { times: edit.over, over: edit.times });
  }
  if (edits.size === 0) return;
  const given = node.output();
  const uses = [...given.uses];
  const sizes = axes.map((axis) => (axis < ONE ? undefined : table.size(axis)));
  const restored = sizes.every((size) => size !== undefined)
    ? addConstant(node.graph, given.name, Tensor.int64(sizes as number[]), node)
    : editedSizes(node.graph, given, edits, axes.length, node.next);
  for (const use of uses) use.node.setInput(use.slot, restored);
  if (given.uses.size === 0 && !given.isGraphOutput) node.graph.remove(node);
}

/** A constant that is read per element is cut for this reader; others once for all. */
function cutConstant(cut: CutNode, slot: number, seen: Map<Value, readonly AxisId[]>): void {
  const { node, table, kept } = cut;
  const value = cut.original(slot);
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
  const cut = cutTo(tensor, axes, kept);
  if (value.tensor) {
    value.tensor = cut;
    value.type = tensorType(cut.dataType, cut.dims);
    return;
  }
  const made = addConstant(value.graph, value.name, cut, value.producer);
  value.replaceUsesWith(made);
  dropIfUnused(value);
}

function cutTo(tensor: Tensor, axes: readonly AxisId[], kept: KeptAxes): Tensor {
  return takeAxes(
    tensor,
    axes.map((axis) => kept.of(axis)),
  );
}

function retype(value: Value, cut: CutNode, axes: readonly AxisId[]): void {
  const { type } = value;
  if (type?.kind !== 'tensor' || type.shape === undefined || !cut.isCut(axes)) return;
  value.type = tensorType(
    type.dataType,
    type.shape.map((dim, at) => {
      const edit = cut.sizeEdit(axes[at]);
      return edit === undefined ? dim : 'value' in edit ? edit.value : undefined;
    }),
  );
}
