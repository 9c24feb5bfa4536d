import { bug } from '../errors.js';
import type { Node } from './node.js';

/**
 * The ordered nodes of a graph. Iteration survives edits: a removed node keeps its forward link, and nodes inserted
 * after the cursor are visited.
 */
export class NodeList implements Iterable<Node> {
  #first: Node | undefined;
  #last: Node | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }
  get first(): Node | undefined {
    return this.#first;
  }
  get last(): Node | undefined {
    return this.#last;
  }

  /** Puts `node` before `anchor`, or at the end without one. */
  insert(node: Node, anchor?: Node): void {
    if (!node.removed) throw bug(`node "${node.name}" is already in a graph`);
    const before = anchor ? anchor.previous : this.#last;
    node.previous = before;
    node.next = anchor;
    if (before) before.next = node;
    else this.#first = node;
    if (anchor) anchor.previous = node;
    else this.#last = node;
    node.removed = false;
    this.#size++;
  }

  delete(node: Node): void {
    if (node.removed) return;
    if (node.previous) node.previous.next = node.next;
    else this.#first = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#last = node.previous;
    node.removed = true;
    this.#size--;
  }

  /** Puts the nodes into the given order, which must hold each of them once. */
  reorder(order: readonly Node[]): void {
    this.#first = undefined;
    this.#last = undefined;
    this.#size = 0;
    for (const node of order) {
      node.removed = true;
      this.insert(node);
    }
  }

  *[Symbol.iterator](): Generator<Node> {
    let node = this.#first;
    while (node) {
      if (!node.removed) yield node;
      node = node.next;
    }
  }
}
