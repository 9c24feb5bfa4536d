import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference, readList } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { isUnused } from '../nodes.js';
import { frontAxis, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Maximum, minimum, mean, sum or product of one element: that element.
 *
 * Fires when: MaxPool or AveragePool has a window of one element, stride 1 and no padding; a global pool or a reduction
 * that keeps its axes finds size 1 along each of them, or has no axes at all by `noop_with_empty_axes`. Refuses:
 * indices of MaxPool that are used. Numerics: exact, as the specification defines the operators.
 */
export const eliminateNoOpPool = defineRewrite<object>({
  name: 'eliminate-no-op-pool',
  summary: 'Removes pools and reductions over one element.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [
    'MaxPool',
    'AveragePool',
    'GlobalMaxPool',
    'GlobalAveragePool',
    'ReduceMax',
    'ReduceMin',
    'ReduceMean',
    'ReduceSum',
    'ReduceProd',
  ],
  rules: () => ({ match: matchPool }),
});

function matchPool(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const [output, indices] = node.outputs;
  if (!input || !output || hasReference(node)) return undefined;
  const same = node.opType.startsWith('Reduce')
    ? reducesNothing(node, context)
    : node.opType.startsWith('Global')
      ? (shapeOf(input)
          ?.slice(2)
          .every((dim) => dim === 1) ?? false)
      : hasWindowOfOne(node);
  if (!same) return undefined;
  if (indices && !isUnused(indices)) return `its indices "${indices.name}" are used`;
  return passThrough(node, input, output);
}

function hasWindowOfOne(node: Node): boolean {
  const all = (name: string, wanted: number) => node.ints(name)?.every((item) => item === wanted) ?? true;
  return node.ints('kernel_shape') !== undefined && all('kernel_shape', 1) && all('strides', 1) && all('pads', 0);
}

function reducesNothing(node: Node, context: RewriteContext): boolean {
  if (node.int('keepdims', 1) === 0) return false;
  const axes = readList(context, node, 'axes', 1);
  if (axes === 'unknown') return false;
  if ((axes === 'absent' || axes.length === 0) && node.int('noop_with_empty_axes', 0) !== 0) return true;
  const shape = shapeOf(node.input(0));
  if (!shape) return false;
  if (axes === 'absent' || axes.length === 0) return shape.every((dim) => dim === 1);
  return axes.every((axis) => shape[frontAxis(axis, shape.length) ?? -1] === 1);
}
