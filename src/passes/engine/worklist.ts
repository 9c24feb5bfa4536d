import type { EditObserver } from '../../ir/edit-observer.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import type { SizeLedger } from './size-ledger.js';
import type { WorkBudget } from './work-budget.js';

/** How far below a changed node patterns are looked for again: they are known by their last node and reach upwards. */
const REACH = 3;

/** The nodes to look at, in order, each once; fed by the edits of the model. */
export class Worklist implements EditObserver {
  readonly #queue: Set<Node> = new Set();
  readonly #ledger: SizeLedger;
  readonly #budget: WorkBudget;
  /** Nodes put in and taken out, those of subgraphs included. */
  insertedNodes = 0;
  removedNodes = 0;
  /** Raised by every edit. */
  edits = 0;

  /** @param budget for telling the many readers of one value of each change; what is not told is looked at in the next round */
  constructor(ledger: SizeLedger, budget: WorkBudget) {
    this.#ledger = ledger;
    this.#budget = budget;
  }

  add(node: Node): void {
    this.#queue.add(node);
  }

  /** The next node still in a graph, or undefined. */
  take(): Node | undefined {
    for (const node of this.#queue) {
      this.#queue.delete(node);
      if (isAttached(node)) return node;
    }
    return undefined;
  }

  nodeChanged(node: Node): void {
    this.edits++;
    this.#addWithReaders(node, REACH);
  }

  valueChanged(value: Value): void {
    this.edits++;
    if (value.producer && !value.producer.removed) this.#queue.add(value.producer);
    // A value with one reader left is what many patterns wait for.
    if (value.uses.size === 1) for (const { node } of value.uses) this.#addWithReaders(node, 1);
  }

  nodeInserted(node: Node): void {
    this.edits++;
    // A node inside one that is still being copied comes in with that one, and is counted there.
    if (isAttached(node)) this.insertedNodes += sizeOf(node);
    this.#ledger.nodeMoved(node, 1);
    this.#addWithReaders(node, REACH);
    // What a subgraph brings along has never been looked at.
    for (const { graph } of node.subgraphs()) for (const inner of graph.nodes) this.#queue.add(inner);
  }

  nodeRemoved(node: Node): void {
    this.edits++;
    this.removedNodes += sizeOf(node);
    this.#ledger.nodeMoved(node, -1);
    this.#queue.delete(node);
  }

  constantMoved(value: Value, sign: 1 | -1): void {
    this.#ledger.constantMoved(value, sign);
    if (sign > 0 && this.#budget.spend(value.uses.size))
      for (const { node } of value.uses) this.#addWithReaders(node, 1);
  }

  #addWithReaders(node: Node, depth: number): void {
    if (!node.removed) this.#queue.add(node);
    if (depth === 0) return;
    if (!this.#budget.spend(node.outputs.length)) return;
    for (const output of node.outputs)
      if (output && this.#budget.spend(output.uses.size))
        for (const use of output.uses) if (use.node !== node) this.#addWithReaders(use.node, depth - 1);
  }
}

/** False for a node that was taken out of its graph, alone or with the node whose subgraph it stands in. */
export function isAttached(node: Node): boolean {
  for (let current: Node | undefined = node; current; current = current.graph.parent) if (current.removed) return false;
  return true;
}

/** A node with all that its subgraphs hold. */
function sizeOf(node: Node): number {
  let nodes = 1;
  for (const { graph } of node.subgraphs()) for (const inner of walkGraphs(graph)) nodes += inner.nodes.size;
  return nodes;
}
