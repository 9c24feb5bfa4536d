import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';

/**
 * True when every reader of a value is a node of `graph` that has it as first input and that `accepts` takes, and nobody
 * outside asks for it: when all of them read something else, the node that computes it can go.
 */
export function isReadBy(value: Value, graph: Graph, accepts: (reader: Node) => boolean): boolean {
  if (value.graph !== graph || value.isGraphOutput || value.pinned) return false;
  for (const { node, slot } of value.uses) if (slot !== 0 || node.graph !== graph || !accepts(node)) return false;
  return true;
}
