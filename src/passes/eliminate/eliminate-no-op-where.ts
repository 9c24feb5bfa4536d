import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { shapeOf } from '../types.js';
import { uniformElement } from '../uniform.js';
import { broadcastKeeps } from './broadcast-keeps.js';
import { passThrough } from './pass-through.js';

/**
 * `Where(c, a, b)` that chooses the same everywhere.
 *
 * Fires when the condition is a constant full of true or full of false, or `a` and `b` are one value, and broadcasting with
 * the rest leaves the shape of the chosen one as it is. Refuses: where the chosen one would have to be repeated.
 * Numerics: exact but for −0, which ONNX Runtime's Where turns into +0 and what is left here does not.
 */
export const eliminateNoOpWhere = defineRewrite<object>({
  name: 'eliminate-no-op-where',
  summary: 'Removes Where that chooses the same everywhere.',
  group: 'eliminate',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [9, null],
  options: {},
  roots: ['Where'],
  rules: () => ({ match: matchWhere }),
});

function matchWhere(node: Node, context: RewriteContext): Match {
  const [condition, yes, no] = node.inputs;
  const output = node.outputs[0];
  if (!condition || !yes || !no || !output) return undefined;
  const tensor = context.constant(condition);
  const choice = yes === no ? 1 : tensor && uniformElement(tensor);
  if (choice === undefined) return undefined;
  const [chosen, other] = choice === 0 ? [no, yes] : [yes, no];
  const shape = shapeOf(chosen);
  const keeps =
    broadcastKeeps(shape, shapeOf(condition)) && (chosen === other || broadcastKeeps(shape, shapeOf(other)));
  return keeps ? passThrough(node, chosen, output) : `"${chosen.name}" is repeated to a larger shape`;
}
