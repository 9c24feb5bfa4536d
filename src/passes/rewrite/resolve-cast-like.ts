import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match } from '../engine/rewrite.js';
import { takeOver } from '../nodes.js';
import { dataTypeOf } from '../types.js';

/**
 * CastLike(x, y) = Cast(x; type of y): then nothing depends on y any more, and a constant x can be folded.
 *
 * Fires where the type of y is known. Refuses casts that do not saturate, whose attribute Cast has from opset 19 on as
 * well. Numerics: exact. Reference: ONNX operators CastLike and Cast.
 */
export const resolveCastLike = defineRewrite<object>({
  name: 'resolve-cast-like',
  summary: 'Replaces CastLike with Cast where the target type is known.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [15, null],
  options: {},
  roots: ['CastLike'],
  rules: () => ({ match: matchCastLike }),
});

function matchCastLike(node: Node): Match {
  const to = dataTypeOf(node.input(1));
  if (to === undefined) return 'its target type is unknown';
  if (node.int('saturate', 1) === 0) return 'it does not saturate';
  return {
    nodes: [node],
    apply: () => takeOver(node, { opType: 'Cast', inputs: [node.input(0)], attributes: [attribute('to', to)] }),
  };
}
