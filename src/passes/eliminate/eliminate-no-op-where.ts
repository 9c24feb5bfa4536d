import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { shapeOf } from '../types.js';
import { uniformElement } from '../uniform.js';
import { broadcastKeeps } from './broadcast-keeps.js';
import { passThrough } from './pass-through.js';

/**
 * `Where(c, a, b)` that selects the same input everywhere.
 *
 * Fires when the condition is a constant of all true or all false, or `a` and `b` are the same value, and broadcasting
 * with the rest keeps the shape of the selected input. Refuses: where the selected input would be broadcast. Numerics:
 * exact but for −0, which ONNX Runtime's Where turns into +0 and what is left here does not.
 */
export const eliminateNoOpWhere = defineRewrite<object>({
  name: 'eliminate-no-op-where',
  summary: 'Removes Where whose condition is the same everywhere, or whose two branches are equal.',
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
  return keeps ? passThrough(node, chosen, output) : `"${chosen.name}" is broadcast to a larger shape`;
}
