import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';

/** True when a value of `targets` is computed from one of `sources`, other than by the nodes in `without`. */
export function leadsTo(
  sources: readonly Value[],
  targets: readonly (Value | undefined)[],
  without: ReadonlySet<Node>,
): boolean {
  const [first] = sources;
  if (!first) return false;
  const wanted = new Set(targets);
  const seen = new Set<Node>();
  const waiting = [...sources];
  for (let value = waiting.pop(); value; value = waiting.pop()) {
    for (const use of value.uses) {
      const node = inGraph(use.node, first.graph);
      if (!node || seen.has(node) || without.has(node)) continue;
      seen.add(node);
      for (const output of node.outputs) {
        if (wanted.has(output)) return true;
        if (output) waiting.push(output);
      }
    }
  }
  return false;
}

/** The node of `graph` that is, or holds, a node. */
function inGraph(node: Node, graph: Graph): Node | undefined {
  let at: Node | undefined = node;
  while (at && at.graph !== graph) at = at.graph.parent;
  return at;
}
