import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { ascendingFrom } from '../ascending.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { frontAxis, rankOf, sameDim, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Gather of every element of an axis, each once and in order.
 *
 * Fires when the indices are 0, 1, 2, …, by a constant (or the same counted from the end) or a Range, as many as the axis is
 * long, symbolic lengths included.
 * Refuses nothing: any other choice of elements stays. Numerics: exact.
 */
export const eliminateNoOpGather = defineRewrite<object>({
  name: 'eliminate-no-op-gather',
  summary: 'Removes Gather that selects a whole axis in order.',
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
  if (!input || !output || !indices || hasReference(node) || rankOf(indices) !== 1) return undefined;
  const shape = shapeOf(input);
  const axis = shape && frontAxis(node.int('axis', 0), shape.length);
  const length = axis === undefined ? undefined : shape?.[axis];
  if (!sameDim(length, shapeOf(indices)?.[0]) || !isInOrder(indices, length, context)) return undefined;
  return passThrough(node, input, output);
}

function isInOrder(indices: Value, length: Dim, context: RewriteContext): boolean {
  const numbers = context.constant(indices)?.integers();
  if (!numbers) return ascendingFrom(indices, context) === 0;
  return numbers.every((index, at) => index === at || (typeof length === 'number' && index + length === at));
}
