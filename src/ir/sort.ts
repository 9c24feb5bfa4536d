import { ServeOptError } from '../errors.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';
import { nodeLabel } from './problem.js';

/** The node of `graph` that is, or holds at any depth in a subgraph, `node`; undefined when there is none. */
export function ancestorIn(graph: Graph, node: Node): Node | undefined {
  let current: Node | undefined = node;
  while (current && current.graph !== graph) current = current.graph.parent;
  return current;
}

/** Nodes that must come after `node`: the consumers of its outputs, subgraphs that pass them through included. */
function successors(node: Node): Set<Node> {
  const after = new Set<Node>();
  for (const output of node.outputs) {
    if (!output) continue;
    for (const use of output.uses) {
      const consumer = ancestorIn(node.graph, use.node);
      if (consumer) after.add(consumer);
    }
    for (const graph of output.outputOf) {
      const holder = graph.parent && graph !== node.graph ? ancestorIn(node.graph, graph.parent) : undefined;
      if (holder) after.add(holder);
    }
  }
  return after;
}

/**
 * Puts the nodes of a graph (not of its subgraphs) into topological order, moving as few as it must: nodes that are
 * free keep their relative order. Linear in nodes and uses.
 * @returns true when the order changed
 * @throws SO3001 when the nodes form a cycle, naming one of them
 */
export function sortGraph(graph: Graph): boolean {
  const index = new Map<Node, number>();
  for (const node of graph.nodes) index.set(node, index.size);
  const after = new Map<Node, Set<Node>>();
  let sorted = true;
  for (const node of graph.nodes) {
    const next = successors(node);
    after.set(node, next);
    for (const other of next) if ((index.get(other) ?? 0) <= (index.get(node) ?? 0)) sorted = false;
  }
  if (sorted) return false;

  const waiting = new Map<Node, number>();
  for (const next of after.values()) for (const other of next) waiting.set(other, (waiting.get(other) ?? 0) + 1);
  const order: Node[] = [];
  let ready = [...graph.nodes].filter((node) => !waiting.get(node));
  while (ready.length > 0) {
    const freed: Node[] = [];
    for (const node of ready) {
      order.push(node);
      for (const other of after.get(node) ?? []) {
        const left = (waiting.get(other) ?? 0) - 1;
        waiting.set(other, left);
        if (left === 0) freed.push(other);
      }
    }
    ready = freed.sort((a, b) => (index.get(a) ?? 0) - (index.get(b) ?? 0));
  }
  if (order.length < index.size) {
    const placed = new Set(order);
    const stuck = [...graph.nodes].find((node) => !placed.has(node));
    const node = stuck ? nodeLabel(stuck) : '';
    throw new ServeOptError(
      'SO3001',
      `The nodes of graph "${graph.name}" form a cycle through "${node}" (${stuck?.opType})`,
      { location: { node } },
    );
  }
  graph.nodes.reorder(order);
  return true;
}
