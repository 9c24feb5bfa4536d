import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { forward, onlyConsumer, takeOver, whyNotForwardable } from '../../nodes.js';

/**
 * The edit that gives the readers of the only output of `node` the equal value `earlier`. Where the output must keep a
 * node of its own, an Identity takes the place of `node`, if that lets a node before it go (`frees`; by default when it
 * alone reads its first input). Else why it cannot be done.
 */
export function replaceByEqual(
  node: Node,
  earlier: Value,
  frees: boolean = readsAlone(node, earlier),
): (() => Node | undefined) | string {
  const output = node.output();
  const reason = whyNotForwardable(output, earlier);
  if (reason === undefined) {
    return () => {
      forward(output, earlier);
      return undefined;
    };
  }
  if (!frees) return reason;
  return () => takeOver(node, { opType: 'Identity', inputs: [earlier] });
}

function readsAlone(node: Node, earlier: Value): boolean {
  const before = node.input(0);
  return before !== undefined && before !== earlier && onlyConsumer(before) === node;
}
