import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { forward, onlyConsumer } from '../nodes.js';
import { frontAxis, rankOf } from '../types.js';

/**
 * `ArgMax(Softmax(x)) = ArgMax(x)`, and the same of LogSoftmax: normalization along an axis keeps the order along it.
 *
 * Fires when ArgMax works along the normalized axis and nothing else reads the result. Where two inputs are so close
 * that their Softmax values are equal, ArgMax then returns the greater one instead of the first; and it sees the
 * infinities and NaN of `x`, where the Softmax would be all NaN. Refuses: other axes; other monotone operators (Exp,
 * Sqrt, Log, Sigmoid, Relu), which make many inputs equal or NaN. Numerics: indices of near ties can change; therefore
 * part of the level `max` only.
 */
export const eliminateSoftmaxBeforeArgMax = defineRewrite<object>({
  name: 'eliminate-softmax-before-arg-max',
  summary: 'Removes Softmax and LogSoftmax before ArgMax, which only needs the order of the values.',
  group: 'eliminate',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['ArgMax'],
  rules: () => ({ match: matchArgMax }),
});

function matchArgMax(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const softmax = middle?.producer;
  const source = softmax?.input(0);
  if (!middle || !source || !(softmax?.is('Softmax') || softmax?.is('LogSoftmax'))) return undefined;
  if (hasReference(node) || hasReference(softmax)) return undefined;
  if (onlyConsumer(middle) !== node) return `"${middle.name}" is also used elsewhere`;
  const rank = rankOf(middle);
  if (rank === undefined) return 'the rank of its input is unknown';
  const along = frontAxis(node.int('axis', 0), rank);
  const isNewer = context.opset(node) >= 13;
  const normalized = frontAxis(softmax.int('axis', isNewer ? -1 : 1), rank);
  if (along === undefined || normalized === undefined) return undefined;
  // Before opset 13 Softmax normalized over its axis and all after it together.
  if (isNewer ? along !== normalized : along < normalized)
    return `${softmax.opType} normalizes along axis ${normalized}, but ArgMax works along axis ${along}`;
  return {
    nodes: [node, softmax],
    apply() {
      forward(middle, source);
      return node;
    },
  };
}
