import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { evaluateNode } from '../../ops/eval/evaluate-node.js';
import { Tensor } from '../../tensor/tensor.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../nodes.js';

/**
 * Cast(ConstantOfShape(s; v); t) = ConstantOfShape(s; Cast(v; t)): the single value is cast instead of all its copies.
 *
 * Fires for every such Cast. Refuses where something else reads the uncast tensor, and types that have no cast.
 * Numerics: exact. Reference: ONNX operators ConstantOfShape and Cast.
 */
export const foldCastOfConstantOfShape = defineRewrite<object>({
  name: 'fold-cast-of-constant-of-shape',
  summary: 'Casts the value of a ConstantOfShape instead of its output.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [9, null],
  options: {},
  roots: ['Cast'],
  rules: () => ({ match: matchCast }),
});

function matchCast(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const filled = input?.producer;
  if (!input || !filled?.is('ConstantOfShape')) return undefined;
  if (onlyConsumer(input) !== node) return `"${input.name}" is also used elsewhere`;
  const value = filled.attributes.has('value') ? filled.tensor('value') : Tensor.float32([0]);
  if (!value) return 'its value refers to an attribute of the function around it';
  const results = evaluateNode(node, [value], context.opset(node));
  if (typeof results === 'string') return results;
  const [cast] = results;
  if (!cast) return undefined;
  return {
    nodes: [filled, node],
    apply: () =>
      takeOver(node, {
        opType: 'ConstantOfShape',
        inputs: [filled.input(0)],
        attributes: [attribute('value', cast)],
      }),
  };
}
