/** Which of the nodes that depend on constants alone are best computed beforehand, when not all results may be stored. */
import type { Node } from '../../ir/node.js';
import { ancestorIn } from '../../ir/sort.js';
import type { Value } from '../../ir/value.js';
import { MinimumCut } from '../engine/minimum-cut.js';
import type { RewriteContext } from '../engine/rewrite.js';
import { initializerFileBytes, nodeFileBytes } from '../engine/size-ledger.js';
import { isStorable, knownBytes, mayCost } from './constant-results.js';

/** Beyond so many nodes the search would take too long. */
const MOST_NODES = 3000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** Prices of a node that are tried at most: each halves, about, the range of those that may be paid. */
const MOST_PRICES = 16;

/**
 * The largest set of nodes, about, whose results may be stored within the limit of growth: a table that is normalized,
 * projected and transposed step by step may be larger in between than at its ends. Stored are those results that others
 * read; what only folded nodes read is stored no more. For a price of a node the best set is a minimum cut
 * (Picard 1976, "Maximal closure of a graph"), and the highest price that may be paid is looked for.
 *
 * @param constant nodes that depend on constants alone
 */
export function chooseFolded(constant: ReadonlySet<Node>, context: RewriteContext): ReadonlySet<Node> {
  const nodes = [...constant].filter((node) => node.outputs.every((output) => isKnown(output, context)));
  if (nodes.length === 0 || nodes.length > MOST_NODES || !context.maySearch(nodes.length)) return new Set();
  const costs = new FoldCosts(new Set(nodes), context);
  const all = new Set(nodes);
  if (mayCost(costs.growth(all), context)) return all;
  let best = costs.cheapest(1);
  if (!mayCost(costs.growth(best), context)) return new Set();
  let [paid, tooDear] = [1, costs.sum];
  for (let i = 0; i < MOST_PRICES && tooDear / paid > 1.5; i++) {
    const price = Math.ceil(Math.sqrt(paid * tooDear));
    const set = costs.cheapest(price);
    if (mayCost(costs.growth(set), context)) {
      paid = price;
      if (set.size >= best.size) best = set;
    } else tooDear = price;
  }
  return best;
}

function isKnown(output: Value | undefined, context: RewriteContext): boolean {
  if (output === undefined) return true;
  const bytes = knownBytes(output);
  return bytes !== undefined && isStorable(bytes, context);
}

/** The node of a set that reads a value, also from within its subgraphs; undefined for a reader outside. */
export function readerIn(nodes: ReadonlySet<Node>, value: Value, reader: Node): Node | undefined {
  const outer = ancestorIn(value.graph, reader);
  if (outer && nodes.has(outer)) return outer;
  return nodes.has(reader) ? reader : undefined;
}

/** A value and the nodes of a set that read it. */
interface Read {
  readonly value: Value;
  readonly bytes: number;
  readonly readers: readonly Node[];
  /** Whether anything else reads it. */
  readonly elsewhere: boolean;
}

/** What the file gains by results that are stored and loses by nodes and constants that go. */
class FoldCosts {
  readonly #nodes: ReadonlySet<Node>;
  readonly #results: ReadonlyMap<Node, readonly Read[]>;
  /** Constants that no one else reads. */
  readonly #constants: readonly Read[];

  constructor(nodes: ReadonlySet<Node>, context: RewriteContext) {
    this.#nodes = nodes;
    const constants = new Map<Value, Read>();
    const results = new Map<Node, Read[]>();
    for (const node of nodes) {
      for (const input of node.inputs) {
        const tensor = input && !constants.has(input) ? context.constant(input) : undefined;
        if (input && tensor) constants.set(input, this.#read(input, initializerFileBytes(input.name, tensor)));
      }
      const reads: Read[] = [];
      for (const output of node.outputs) {
        const bytes = knownBytes(output);
        if (output && bytes !== undefined) reads.push(this.#read(output, bytes + output.name.length + 20));
      }
      results.set(node, reads);
    }
    this.#results = results;
    this.#constants = [...constants.values()].filter(({ elsewhere }) => !elsewhere);
  }

  #read(value: Value, bytes: number): Read {
    const readers = new Set<Node>();
    let elsewhere = value.isGraphOutput || value.pinned || value.isGraphInput;
    for (const use of value.uses) {
      const reader = readerIn(this.#nodes, value, use.node);
      if (reader) readers.add(reader);
      else elsewhere = true;
    }
    return { value, bytes, readers: [...readers], elsewhere };
  }

  /** All bytes there are: no price above it changes anything. */
  get sum(): number {
    let sum = 1;
    for (const reads of this.#results.values()) for (const { bytes } of reads) sum += bytes;
    return sum;
  }

  /** Bytes that the file gains when these nodes are folded. */
  growth(folded: ReadonlySet<Node>): number {
    let bytes = 0;
    for (const node of folded) {
      bytes -= nodeFileBytes(node);
      for (const read of this.#results.get(node) ?? [])
        if (read.elsewhere || read.readers.some((reader) => !folded.has(reader))) bytes += read.bytes;
    }
    for (const read of this.#constants) if (read.readers.every((reader) => folded.has(reader))) bytes -= read.bytes;
    return bytes;
  }

  /** The nodes by which the file gains least, where each that is folded is worth `price` bytes. */
  cheapest(price: number): ReadonlySet<Node> {
    const cut = new MinimumCut();
    // On the source's side a node is folded.
    const [source, sink] = [cut.addVertex(), cut.addVertex()];
    const vertices = new Map([...this.#nodes].map((node) => [node, cut.addVertex()]));
    const vertexOf = (node: Node): number => vertices.get(node) ?? sink;
    for (const [node, reads] of this.#results) {
      cut.addEdge(source, vertexOf(node), nodeFileBytes(node) + price);
      for (const { bytes, readers, elsewhere } of reads) {
        // Stored when one of its readers is not folded.
        const stored = elsewhere ? sink : cut.addVertex();
        cut.addEdge(vertexOf(node), stored, bytes);
        if (!elsewhere) for (const reader of readers) cut.addEdge(stored, vertexOf(reader), UNLIMITED);
      }
    }
    for (const { bytes, readers } of this.#constants) {
      const kept = cut.addVertex();
      cut.addEdge(source, kept, bytes);
      for (const reader of readers) cut.addEdge(kept, vertexOf(reader), UNLIMITED);
    }
    const { sourceSide } = cut.run(source, sink);
    return new Set([...this.#nodes].filter((node) => sourceSide.has(vertexOf(node))));
  }
}
