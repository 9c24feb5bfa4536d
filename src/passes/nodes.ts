/** Small questions and edits on nodes that several passes share. */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';

export { nodeLabel } from '../ir/problem.js';

/** The only node that consumes a value, when it does so once, in the same graph, and the value is no graph output. */
export function onlyConsumer(value: Value): Node | undefined {
  if (value.uses.size !== 1 || value.isGraphOutput || value.pinned) return undefined;
  for (const use of value.uses) return use.node.graph === value.graph ? use.node : undefined;
  return undefined;
}

/**
 * Removes `node` (whose first input `producer` computes for it alone) and lets `producer` compute its output instead.
 * The output keeps its name; metadata and doc string of the removed node move to `producer` where it has none.
 */
export function absorbConsumer(producer: Node, node: Node): void {
  const inner = producer.output();
  const outer = node.output();
  producer.setOutput(0, outer);
  node.graph.remove(node);
  producer.graph.forget(inner);
  for (const [key, text] of node.metadataProps) {
    if (!producer.metadataProps.has(key)) producer.metadataProps.set(key, text);
  }
  producer.docString ??= node.docString;
}

/** Takes a node with one output out of its graph and gives that output, which now has no producer, for another node to own. */
export function releaseOutput(node: Node): Value {
  const output = node.output();
  node.setOutput(0, undefined);
  node.graph.remove(node);
  return output;
}

/** Copies what people attached to a node to the one that takes its place. */
export function copyMetadata(from: Node, to: Node): void {
  for (const [key, text] of from.metadataProps) to.metadataProps.set(key, text);
  if (from.docString !== undefined) to.docString = from.docString;
}
