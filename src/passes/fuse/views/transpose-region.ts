/** Values around Transposes that could all be stored in another order of axes, and which of them best are. */
import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { MinimumCut } from '../../engine/minimum-cut.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { rankOf } from '../../types.js';
import { composePerms, isIdentityPerm, type Perm, permOf, samePerm } from './perms.js';
import { type Known, type Moved, movedNode } from './transpose-rules.js';

/** Nodes looked at from one Transpose. */
const MOST_NODES = 10_000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;

export interface Readers {
  /** Nodes that compute in either order. */
  readonly moving: readonly Node[];
  /** Transposes that make of it what is stored. */
  readonly undoing: readonly Node[];
  /** Whether anything else reads it as it is. */
  readonly plain: boolean;
}

/**
 * Values that are connected by operators which compute in any order of axes, with the permutation of each: `v` =
 * Transpose(stored; p). Starts from the output of a Transpose, whose input is what is stored, or from its input.
 */
export class TransposeRegion {
  readonly graph: Graph;
  readonly perms: ReadonlyMap<Value, Perm>;
  readonly moved: ReadonlyMap<Node, Moved>;
  readonly #context: RewriteContext;

  constructor(graph: Graph, start: Value, perm: Perm, context: RewriteContext) {
    this.graph = graph;
    this.#context = context;
    const perms = new Map([[start, perm]]);
    const moved = new Map<Node, Moved>();
    const fixed = new Set<Node>();
    const reach = (node: Node, known: Known): void => {
      if (node.graph !== graph || node.is('Transpose') || fixed.has(node)) return;
      const before = moved.get(node);
      const found = before ?? (moved.size < MOST_NODES ? movedNode(node, known, context) : undefined);
      const wanted = found?.[known.at === 'input' ? 'inputs' : 'outputs'][known.index];
      if (!found || !wanted || !samePerm(wanted, known.perm) || !this.#agrees(node, found, perms)) {
        // It is met with two different orders, or keeps to its own.
        moved.delete(node);
        fixed.add(node);
        return;
      }
      if (before) return;
      moved.set(node, found);
      for (const [value, own] of this.#data(node, found)) perms.set(value, own);
    };
    // The map grows while it is walked: every value is looked at once.
    for (const [value, own] of perms) {
      for (const { node, slot } of value.uses) reach(node, { at: 'input', index: slot, perm: own });
      if (value.producer) reach(value.producer, { at: 'output', index: value.outputIndex, perm: own });
    }
    this.perms = perms;
    this.moved = moved;
  }

  /** Values of a node that are stored in another order, with their permutations; constants are not values in this sense. */
  *#data(node: Node, { inputs, outputs }: Moved): Generator<readonly [Value, Perm]> {
    for (const [slot, perm] of inputs.entries()) {
      const value = node.input(slot);
      if (value && perm && !this.#context.constant(value)) yield [value, perm];
    }
    for (const [index, perm] of outputs.entries()) {
      const value = node.outputs[index];
      if (value && perm) yield [value, perm];
    }
  }

  #agrees(node: Node, found: Moved, perms: ReadonlyMap<Value, Perm>): boolean {
    const own = new Map<Value, Perm>();
    for (const [value, perm] of this.#data(node, found)) {
      const other = perms.get(value) ?? own.get(value);
      if (other && !samePerm(other, perm)) return false;
      own.set(value, perm);
    }
    return true;
  }

  /** The Transpose that makes a value of what is stored, so that it need not be made. */
  madeBy(value: Value): Node | undefined {
    const perm = this.perms.get(value);
    const own = value.producer && value.graph === this.graph ? permOf(value.producer, perm?.length) : undefined;
    return own && perm && samePerm(own, perm) ? value.producer : undefined;
  }

  /** Another Transpose that makes a value. */
  transposedBy(value: Value): Node | undefined {
    const { producer } = value;
    return producer?.is('Transpose') && value.graph === this.graph && permOf(producer, rankOf(value))
      ? producer
      : undefined;
  }

  /** True for a Transpose that makes of a value what is stored, and whose output can be given up. */
  isUndoneBy(value: Value, node: Node): boolean {
    const perm = this.perms.get(value);
    const undone = composePerms(perm, permOf(node, perm?.length));
    const output = node.outputs[0];
    if (!undone || !output || node.graph !== this.graph || !isIdentityPerm(undone) || output.pinned) return false;
    return output.outputOf.every((graph) => graph === this.graph);
  }

  /** Readers of a value, by the order in which they want it. Transposes that only get another permutation are not listed. */
  readers(value: Value): Readers {
    const moving: Node[] = [];
    const undoing: Node[] = [];
    let plain = value.isGraphOutput || value.pinned;
    for (const { node, slot } of value.uses) {
      const moved = this.moved.get(node);
      if (moved?.inputs[slot]) moving.push(node);
      else if (!node.is('Transpose') || node.graph !== this.graph) plain = true;
      // It leads from one value of the region to another, which is counted there: it needs this one as it is.
      else if (node.outputs[0] && this.madeBy(node.outputs[0])) plain = true;
      else if (this.isUndoneBy(value, node)) {
        // What is stored can take over the name of one graph output.
        const named = node.output().isGraphOutput;
        if (named && undoing.some((other) => other.output().isGraphOutput)) plain = true;
        else undoing.push(node);
      }
    }
    return { moving, undoing, plain };
  }

  /**
   * The nodes to move so that the fewest Transposes are left, and how many fewer these are: a minimum cut between what has
   * the stored order for nothing and what has the plain one. A value whose producer and readers are on both sides costs
   * one Transpose.
   */
  best(): { readonly nodes: ReadonlySet<Node>; readonly gain: number } {
    const cut = new MinimumCut();
    const [stored, plain] = [cut.addVertex(), cut.addVertex()];
    const vertices = new Map([...this.moved.keys()].map((node) => [node, cut.addVertex()]));
    const vertexOf = (node: Node): number => vertices.get(node) ?? plain;
    let now = 0;
    for (const value of this.perms.keys()) {
      const readers = this.readers(value);
      const source = this.#source(value, stored, plain, vertices) ?? cut.addVertex();
      const wanting = readers.moving.map(vertexOf);
      if (readers.plain) wanting.push(plain);
      if (readers.undoing.length > 0 && !value.producer?.is('Transpose')) wanting.push(stored);
      const sides = new Set([source, ...wanting].map((vertex) => (vertex === stored ? stored : plain)));
      now += sides.size - 1;
      const [before, after] = [cut.addVertex(), cut.addVertex()];
      cut.addEdge(before, source, 1);
      cut.addEdge(source, after, 1);
      for (const vertex of wanting) {
        cut.addEdge(vertex, before, UNLIMITED);
        cut.addEdge(after, vertex, UNLIMITED);
      }
    }
    const { capacity, sourceSide } = cut.run(stored, plain);
    const nodes = [...vertices].flatMap(([node, vertex]) => (sourceSide.has(vertex) ? [node] : []));
    return { nodes: new Set(nodes), gain: now - capacity };
  }

  /** Where a value comes from; undefined for a Transpose that can be turned into one to either order. */
  #source(value: Value, stored: number, plain: number, vertices: ReadonlyMap<Node, number>): number | undefined {
    if (this.madeBy(value)) return stored;
    if (this.transposedBy(value)) return undefined;
    return (value.graph === this.graph && value.producer ? vertices.get(value.producer) : undefined) ?? plain;
  }
}
