import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match } from '../engine/rewrite.js';
import { frontAxis, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';
import { releaseInputs } from './release-inputs.js';

/**
 * Concat of one tensor, and the empty inputs of a Concat of several: `Concat(a, empty, b) = Concat(a, b)`.
 *
 * Fires when: one input is left, or one of several is known to have size 0 along the axis.
 * Refuses nothing. Numerics: exact.
 */
export const eliminateNoOpConcat = defineRewrite<object>({
  name: 'eliminate-no-op-concat',
  summary: 'Removes Concat of one tensor, and empty inputs of other Concats.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Concat'],
  rules: () => ({ match: matchConcat }),
});

function matchConcat(node: Node): Match {
  const output = node.outputs[0];
  if (!output || hasReference(node)) return undefined;
  const [first] = node.inputs;
  if (node.inputs.length === 1) return first ? passThrough(node, first, output) : undefined;
  // The axis had a default in opset 1 only.
  const axis = node.int('axis', 1);
  const kept = node.inputs.filter((input) => !isEmpty(input, axis));
  if (kept.length === node.inputs.length) return undefined;
  if (kept.length === 0) kept.push(first);
  return {
    nodes: [node],
    apply() {
      releaseInputs(node, () => node.setInputs(kept));
      return node;
    },
  };
}

function isEmpty(value: Value | undefined, axis: number): boolean {
  const shape = shapeOf(value);
  const front = shape && frontAxis(axis, shape.length);
  return front !== undefined && shape?.[front] === 0;
}
