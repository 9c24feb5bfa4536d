import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import type { RewriteContext } from './engine/rewrite.js';
import { nodeFileBytes } from './engine/size-ledger.js';
import { isUnused } from './nodes.js';

/**
 * The nodes that nothing needs any more when `roots` are gone and only `kept` are still read, with the roots; Constant
 * nodes do not count.
 */
export function dyingNodes(roots: Iterable<Node>, kept: Iterable<Value | undefined>): Set<Node> {
  const living = new Set<Node | undefined>();
  for (const value of kept) living.add(value?.producer);
  const dying = new Set<Node>(roots);
  const waiting = [...dying];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    for (const input of node.inputs) {
      const producer = input?.producer;
      if (
        !producer ||
        dying.has(producer) ||
        living.has(producer) ||
        producer.is('Constant') ||
        !isOnlyReadBy(producer, dying)
      )
        continue;
      dying.add(producer);
      waiting.push(producer);
    }
  }
  return dying;
}

function isOnlyReadBy(node: Node, readers: ReadonlySet<Node>): boolean {
  return node.outputs.every((output) => {
    if (!output || isUnused(output)) return true;
    if (output.isGraphOutput || output.pinned) return false;
    for (const use of output.uses) if (!readers.has(use.node)) return false;
    return true;
  });
}

/** Bytes of `dying` nodes and of the constants that only they read. */
export function freedBytes(dying: ReadonlySet<Node>, context: RewriteContext): number {
  const read = new Set<Value>();
  for (const node of dying) for (const input of node.inputs) if (input) read.add(input);
  let bytes = 0;
  for (const node of dying) bytes += nodeFileBytes(node);
  for (const value of read) {
    const tensor = context.constant(value);
    if (tensor && !value.isGraphOutput && [...value.uses].every(({ node }) => dying.has(node)))
      bytes += tensor.byteLength;
  }
  return bytes;
}

/** The only node that reads a value besides Shape nodes, in the same graph; undefined where the value is a graph output. */
export function mainConsumer(value: Value): Node | undefined {
  if (value.isGraphOutput || value.pinned) return undefined;
  const readers = [...value.uses].filter(({ node }) => !node.is('Shape'));
  const [reader] = readers;
  return readers.length === 1 && reader?.node.graph === value.graph ? reader.node : undefined;
}

/** One of the values that something reads that does not go with `dying`; `last` may. */
export function leakOf(
  values: readonly (Value | undefined)[],
  last: Node,
  dying: ReadonlySet<Node>,
): Value | undefined {
  for (const value of values) {
    if (!value) continue;
    if (value.isGraphOutput || value.pinned) return value;
    for (const use of value.uses) if (use.node !== last && !dying.has(use.node)) return value;
  }
  return undefined;
}
