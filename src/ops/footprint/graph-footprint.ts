import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { formatType, type ValueType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { type Footprint, largerFootprint, largerNeed, NO_FOOTPRINT, smallerFootprint } from './footprint.js';
import { typeBytes } from './type-bytes.js';

/** What one instance of a graph knows, as `Scope` of the inference has it. */
export interface MeasuredScope {
  readonly types: ReadonlyMap<Value, ValueType>;
  /** Of subgraphs by graph, of calls of local functions by node. */
  readonly footprints: ReadonlyMap<Graph | Node, Footprint>;
  /** How often the bodies of a node run at least, where that is known. */
  readonly repeats: ReadonlyMap<Node, number>;
}

/** Operators whose output is their input under another shape: no memory of its own. */
const VIEWS: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * Measures graphs of one model, once their types are inferred: how much is alive while they run, in the order of the
 * nodes. Everything is counted low: a result takes the place of an input of its size that ends there, views take nothing,
 * what is not known takes nothing.
 */
export class GraphMeter {
  readonly #symbols: ReadonlyMap<string, number>;
  readonly #main: Graph;
  readonly #captures: Map<Graph, readonly Value[]> = new Map();

  constructor(main: Graph, symbols: ReadonlyMap<string, number>) {
    this.#main = main;
    this.#symbols = symbols;
  }

  readonly measure = (scope: MeasuredScope, graph: Graph): Footprint => {
    const bytesOf = (value: Value): number => typeBytes(scope.types.get(value) ?? value.type, this.#symbols) ?? 0;
    const storage = new Map<Value, Value>();
    const lastUse = this.#lastUses(graph, storage);
    const ends = new Map<Node, Value[]>();
    for (const [value, node] of lastUse) {
      const list = ends.get(node);
      if (list) list.push(value);
      else ends.set(node, [value]);
    }
    let alive = 0;
    // Inputs of a body are alive outside of it already.
    if (graph === this.#main) for (const value of graph.inputs) if (!value.tensor) alive += bytesOf(value);
    for (const { tensor } of graph.initializers) if (tensor) alive += tensor.byteLength;
    let footprint: Footprint = { ...NO_FOOTPRINT, peakBytes: alive };
    let runs = 0;
    let most = { runs: 0, longest: undefined as Footprint['longest'] };
    for (const node of graph.nodes) {
      const ended = ends.get(node) ?? [];
      let made = 0;
      let largestOutput = 0;
      let typeText = '';
      for (const output of node.outputs) {
        if (!output || storage.has(output)) continue;
        const bytes = bytesOf(output);
        made += bytes;
        if (bytes <= largestOutput) continue;
        largestOutput = bytes;
        typeText = formatType(scope.types.get(output) ?? output.type);
      }
      const inner = this.#inner(scope, node);
      // What callers gave or get is never shared.
      const mayReuse = (value: Value): boolean => value.producer?.graph === graph && bytesOf(value) === largestOutput;
      const isGiven = node.outputs.some((output) => output?.isGraphOutput);
      const reused = largestOutput > 0 && !isGiven && ended.some(mayReuse) ? largestOutput : 0;
      const peakBytes = alive + Math.max(made - reused, inner.peakBytes);
      const largest = largerNeed(inner.largest, made > 0 ? { node, bytes: made, typeText } : undefined);
      const peakNode = inner.peakBytes > made - reused ? (inner.peakNode ?? node) : node;
      footprint = largerFootprint(footprint, { ...NO_FOOTPRINT, peakBytes, peakNode, largest });
      const times = scope.repeats.get(node) ?? 1;
      const own = times === 0 ? 0 : times * Math.max(inner.runs, times > 1 ? 1 : 0);
      runs += 1 + own;
      if (own > most.runs)
        most = { runs: own, longest: times >= (inner.longest?.times ?? 1) ? { node, times } : inner.longest };
      alive += made;
      for (const value of ended) if (value.producer?.graph === graph) alive -= bytesOf(value);
    }
    return { ...footprint, runs, longest: most.longest };
  };

  /** What runs inside of a node: the body of a loop, the smaller branch, the function it calls. */
  #inner(scope: MeasuredScope, node: Node): Footprint {
    const call = scope.footprints.get(node);
    if (call) return call;
    const bodies = node.subgraphs().map(({ graph }) => scope.footprints.get(graph) ?? NO_FOOTPRINT);
    const [first, second] = bodies;
    if (!first) return NO_FOOTPRINT;
    return second ? smallerFootprint(first, second) : first;
  }

  /** The node after which a value, or what shares its storage, is not read any more; none where it leaves the graph. */
  #lastUses(graph: Graph, storage: Map<Value, Value>): Map<Value, Node> {
    const lastUse = new Map<Value, Node>();
    const rootOf = (value: Value): Value => storage.get(value) ?? value;
    for (const node of graph.nodes) {
      const [output] = node.outputs;
      const [input] = node.inputs;
      if (node.domain === '' && VIEWS.has(node.opType) && output && input && !output.isGraphOutput)
        storage.set(output, rootOf(input));
      for (const value of node.inputs) if (value?.graph === graph) lastUse.set(rootOf(value), node);
      for (const { graph: body } of node.subgraphs())
        for (const value of this.#captured(body)) if (value.graph === graph) lastUse.set(rootOf(value), node);
    }
    for (const value of graph.outputs) lastUse.delete(rootOf(value));
    return lastUse;
  }

  /** Values of graphs around that a graph, or one inside of it, reads. */
  #captured(graph: Graph): readonly Value[] {
    const known = this.#captures.get(graph);
    if (known) return known;
    const captured = new Set<Value>();
    const look = (value: Value | undefined): void => {
      if (value && value.graph !== graph) captured.add(value);
    };
    for (const node of graph.nodes) {
      node.inputs.forEach(look);
      for (const { graph: body } of node.subgraphs()) this.#captured(body).forEach(look);
    }
    graph.outputs.forEach(look);
    const list = [...captured];
    this.#captures.set(graph, list);
    return list;
  }
}
