import type { Node } from '../../ir/node.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import type { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused } from '../constants.js';
import { definePass } from '../pass.js';

/**
 * Reshape, Unsqueeze, Squeeze and Flatten of a constant: the same bytes under another shape, so nothing is read or copied.
 * Paddle exports biases as Conv → Add(Reshape(constant)).
 *
 * Fires when the data and the shape (or axes) are constant. Leaves alone what is an output of its graph, and shapes that do not fit.
 * Numerics: exact.
 */
export const foldConstantViews = definePass<object>({
  name: 'fold-constant-views',
  summary: 'Folds Reshape, Squeeze, Unsqueeze and Flatten of constants.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  run(model) {
    let changed = 0;
    for (const graph of allGraphs(model)) for (const node of graph.nodes) if (fold(node)) changed++;
    return { changed };
  },
});

function fold(node: Node): boolean {
  const output = node.outputs[0];
  if (!output || output.isGraphOutput || output.pinned) return false;
  const dims = viewDims(node);
  const tensor = dims && constantTensor(node.input(0));
  if (!dims || !tensor) return false;
  output.replaceUsesWith(addConstant(node.graph, output.name, tensor.reshaped(dims), node));
  const inputs = node.inputs.slice();
  node.graph.remove(node);
  for (const input of inputs) if (input) dropIfUnused(input);
  return true;
}

/** The shape that the node gives its constant input, or undefined when it is not such a node or the shape does not fit. */
function viewDims(node: Node): number[] | undefined {
  if (!(node.is('Reshape') || node.is('Unsqueeze') || node.is('Squeeze') || node.is('Flatten'))) return undefined;
  const tensor = constantTensor(node.input(0));
  if (!tensor) return undefined;
  if (node.is('Flatten')) return flattened(tensor, node.int('axis', 1));
  const second = node.input(1);
  const list = second ? constantTensor(second)?.integers() : node.ints(node.is('Reshape') ? 'shape' : 'axes');
  if (second && !list) return undefined;
  if (node.is('Reshape')) return list && reshaped(tensor, list, node.int('allowzero', 0) !== 0);
  return node.is('Squeeze') ? squeezed(tensor, list) : list && unsqueezed(tensor, list);
}

function flattened(tensor: Tensor, axis: number): number[] | undefined {
  const at = axis < 0 ? axis + tensor.rank : axis;
  if (at < 0 || at > tensor.rank) return undefined;
  const product = (dims: readonly number[]) => dims.reduce((total, dim) => total * dim, 1);
  return [product(tensor.dims.slice(0, at)), product(tensor.dims.slice(at))];
}

function reshaped(tensor: Tensor, shape: readonly number[], allowZero: boolean): number[] | undefined {
  const dims = shape.map((dim, axis) => (dim === 0 && !allowZero ? (tensor.dims[axis] ?? -2) : dim));
  const known = dims.reduce((total, dim) => (dim === -1 ? total : total * dim), 1);
  const open = dims.indexOf(-1);
  if (open >= 0) {
    if (known <= 0 || tensor.size % known !== 0) return undefined;
    dims[open] = tensor.size / known;
  }
  const size = dims.reduce((total, dim) => total * dim, 1);
  return size === tensor.size && dims.every((dim) => dim >= 0) ? dims : undefined;
}

function squeezed(tensor: Tensor, axes: readonly number[] | undefined): number[] | undefined {
  if (!axes) return tensor.dims.filter((dim) => dim !== 1);
  const drop = new Set(axes.map((axis) => (axis < 0 ? axis + tensor.rank : axis)));
  for (const axis of drop) if (tensor.dims[axis] !== 1) return undefined;
  return tensor.dims.filter((_, axis) => !drop.has(axis));
}

function unsqueezed(tensor: Tensor, axes: readonly number[]): number[] | undefined {
  const rank = tensor.rank + axes.length;
  const ones = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (ones.size !== axes.length || [...ones].some((axis) => axis < 0 || axis >= rank)) return undefined;
  const rest = tensor.dims.values();
  return Array.from({ length: rank }, (_, axis) => (ones.has(axis) ? 1 : (rest.next().value as number)));
}
