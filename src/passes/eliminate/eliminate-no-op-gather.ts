import type { Node } from '../../ir/node.js';
import { hasReference } from '../engine/operands.js';
import { defineRewrite, type Match, type RewriteContext } from '../engine/rewrite.js';
import { frontAxis, rankOf, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Gather of every element of an axis, each once and in order.
 *
 * Fires when the indices are a constant 0, 1, 2, … (or the same counted from the end) as long as the axis.
 * Refuses nothing: any other choice of elements stays. Numerics: exact.
 */
export const eliminateNoOpGather = defineRewrite<object>({
  name: 'eliminate-no-op-gather',
  summary: 'Removes Gather that takes a whole axis in order.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Gather'],
  rules: () => ({ match: matchGather }),
});

function matchGather(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  const indices = node.input(1);
  if (!input || !output || hasReference(node) || rankOf(indices) !== 1) return undefined;
  const shape = shapeOf(input);
  const axis = shape && frontAxis(node.int('axis', 0), shape.length);
  const length = axis === undefined ? undefined : shape?.[axis];
  const constant = context.constant(indices);
  if (typeof length !== 'number' || constant?.size !== length) return undefined;
  const inOrder = constant.integers().every((index, at) => index === at || index + length === at);
  return inOrder ? passThrough(node, input, output) : undefined;
}
