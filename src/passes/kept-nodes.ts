import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { allNodes } from '../ir/walk.js';

/** What a node is known by across copies of its model, whatever its name: its first output. */
export function outputKey(node: Node): string {
  return node.outputs.find((output) => output !== undefined)?.name ?? '';
}

/** The nodes that are to stay as they are, with the reasons. @param kept reasons by first output */
export function keptNodes(model: Model, kept: ReadonlyMap<string, string>): Map<Node, string> {
  const found = new Map<Node, string>();
  if (kept.size === 0) return found;
  for (const node of allNodes(model)) {
    const reason = kept.get(outputKey(node));
    if (reason !== undefined) found.set(node, reason);
  }
  return found;
}
