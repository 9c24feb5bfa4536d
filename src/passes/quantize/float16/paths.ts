import type { Node } from '../../../ir/node.js';

/** Paths through the graph, from a start node over any number of nodes in between to an end node. */
export interface PathRule {
  readonly start: (node: Node) => boolean;
  readonly through: (node: Node) => boolean;
  readonly end: (node: Node) => boolean;
  /** Whether a path may enter `node` at input `slot`; any slot when left out. */
  readonly enters?: (node: Node, slot: number) => boolean;
}

/**
 * The nodes that lie on a path of the rule, both ends included. `order` holds the nodes topologically, outer graphs
 * before inner ones. Time is linear in nodes and uses.
 */
export function nodesOnPaths(order: readonly Node[], rule: PathRule): Node[] {
  const reached = new Set<Node>();
  /** Nodes that a path may go on from. */
  const passes = (node: Node): boolean => rule.start(node) || rule.through(node);
  for (const node of order) {
    if (rule.start(node)) reached.add(node);
    else if (rule.through(node) || rule.end(node)) {
      const entered = node.inputs.some((input, slot) => {
        const producer = input?.producer;
        return producer && reached.has(producer) && passes(producer) && (rule.enters?.(node, slot) ?? true);
      });
      if (entered) reached.add(node);
    }
  }
  const leads = new Set<Node>();
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at];
    if (!node || !reached.has(node)) continue;
    if (rule.end(node) && !rule.start(node)) leads.add(node);
    else if (passes(node) && leadsOn(node, leads, rule)) leads.add(node);
  }
  return order.filter((node) => leads.has(node));
}

function leadsOn(node: Node, leads: ReadonlySet<Node>, rule: PathRule): boolean {
  for (const output of node.outputs) {
    for (const use of output?.uses ?? []) {
      if (leads.has(use.node) && (rule.enters?.(use.node, use.slot) ?? true)) return true;
    }
  }
  return false;
}
