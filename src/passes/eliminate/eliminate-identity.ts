import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match } from '../engine/rewrite.js';
import { forward, whyNotForwardable } from '../nodes.js';

/**
 * Identity(x) = x. Exporters share one weight between nodes this way, which hides it from passes that look for
 * constants.
 *
 * Fires on every Identity; one that makes an output of its graph passes the name of that output to the node before it.
 * Refuses where there is no such node: an output that is an input, a constant, another output, or comes from an
 * enclosing graph. Numerics: exact.
 */
export const eliminateIdentity = defineRewrite<object>({
  name: 'eliminate-identity',
  summary: 'Removes Identity nodes.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Identity'],
  rules: () => ({ match: matchIdentity }),
});

function matchIdentity(node: Node): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output) return undefined;
  const reason = whyNotForwardable(output, input);
  if (reason !== undefined) return reason;
  return {
    nodes: [node],
    apply() {
      forward(output, input);
      return undefined;
    },
  };
}
