import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';

/** What was found so far, as seen from one graph: entries of enclosing graphs are seen inside, those of inner graphs not outside. */
export class VisibleTable<T> {
  readonly #outer: VisibleTable<T> | undefined;
  readonly #entries: Map<string, T> = new Map();

  constructor(outer?: VisibleTable<T>) {
    this.#outer = outer;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key) ?? this.#outer?.get(key);
  }

  set(key: string, entry: T): void {
    this.#entries.set(key, entry);
  }
}

/**
 * Goes through the nodes of a graph and its subgraphs in order, each with the table of what was found before it and can
 * be read where it stands. The nodes of a subgraph come before the one that holds it, whose outputs they cannot read.
 */
export function visitInScope<T>(
  graph: Graph,
  visit: (node: Node, table: VisibleTable<T>) => void,
  table: VisibleTable<T> = new VisibleTable(),
  enter?: (graph: Graph, table: VisibleTable<T>) => void,
): void {
  enter?.(graph, table);
  for (const node of graph.nodes) {
    for (const { graph: inner } of node.subgraphs()) visitInScope(inner, visit, new VisibleTable(table), enter);
    visit(node, table);
  }
}
