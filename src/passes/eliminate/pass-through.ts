import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import type { Rewrite } from '../engine/rewrite.js';
import { forward, whyNotForwardable } from '../nodes.js';

/** The removal of a node whose `output` always equals `input`: who read the one reads the other. A reason where that cannot be. */
export function passThrough(node: Node, input: Value, output: Value = node.output()): Rewrite | string {
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
