import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import type { Rewrite } from '../engine/rewrite.js';
import { forward, takeOver, whyNotForwardable } from '../nodes.js';
import { releaseInputs } from './release-inputs.js';

/**
 * The removal of a node whose `output` always equals `input`: who read the one reads the other. An output of the graph that
 * needs a node of its own gets an Identity, if the node read anything else that was computed. Else a reason.
 */
export function passThrough(node: Node, input: Value, output: Value = node.output()): Rewrite | string {
  const reason = whyNotForwardable(output, input);
  if (reason !== undefined) {
    if (node.outputs.length > 1 || !node.inputs.some((other) => other !== input && other?.producer)) return reason;
    return {
      nodes: [node],
      apply: () => releaseInputs(node, () => takeOver(node, { opType: 'Identity', inputs: [input] })),
    };
  }
  return {
    nodes: [node],
    apply() {
      forward(output, input);
      return undefined;
    },
  };
}
