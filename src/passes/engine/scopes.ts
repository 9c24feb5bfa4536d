import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';

/** Operator set versions by where a node stands: those of the model, or of the local function around it. */
export class Scopes {
  readonly #model: Model;
  readonly #functions: Map<Graph, ReadonlyMap<string, number>> = new Map();

  constructor(model: Model) {
    this.#model = model;
    for (const fn of model.functions.values()) this.#functions.set(fn.graph, fn.opsets);
  }

  /** The version of a domain for a node or graph; 0 where it is not imported. */
  opset(at: Node | Graph, domain = ''): number {
    const root = rootGraph('nodes' in at ? at : at.graph);
    const version = (this.#functions.get(root) ?? this.#model.opsets).get(domain);
    // Models before IR version 3 had no imports, and meant version 1.
    return version ?? (domain === '' && this.#model.irVersion < 3 ? 1 : 0);
  }
}

/** The main graph or function body that a graph is, or stands in. */
export function rootGraph(graph: Graph): Graph {
  let root = graph;
  while (root.parent) root = root.parent.graph;
  return root;
}
