import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { forward, onlyConsumer, takeOver, whyNotForwardable } from '../nodes.js';

/**
 * The edit that gives the readers of the only output of `node` the equal value `earlier`. Where the output must keep a
 * node of its own, an Identity takes the place of `node`, if that lets the node before it go. Else why it cannot be done.
 */
export function replaceByEqual(node: Node, earlier: Value): (() => Node | undefined) | string {
  const output = node.output();
  const reason = whyNotForwardable(output, earlier);
  if (reason === undefined) {
    return () => {
      forward(output, earlier);
      return undefined;
    };
  }
  const before = node.input(0);
  if (!before || before === earlier || onlyConsumer(before) !== node) return reason;
  return () => takeOver(node, { opType: 'Identity', inputs: [earlier] });
}
