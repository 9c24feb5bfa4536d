import { bug } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';
import type { ValueType } from './type.js';
import { WatchedMap } from './watched-map.js';

/** One place where a value is consumed: input `slot` of `node`. */
export interface Use {
  readonly node: Node;
  readonly slot: number;
}

/**
 * The hub of the graph: a named value with at most one producer and any number of uses, in its graph or in subgraphs of it.
 * A value without producer is a graph input, an initializer, or both (then the initializer is an overridable default).
 */
export class Value {
  #name: string;
  #type: ValueType | undefined;
  #tensor: Tensor | undefined;
  #meta: Map<string, unknown> | undefined;
  #metadataProps: Map<string, string> | undefined;
  /** The graph that defines it. */
  graph: Graph;
  /** The node that computes it; set by Node alone. */
  producer: Node | undefined = undefined;
  /** Its place among the outputs of the producer. */
  outputIndex = 0;
  /** Maintained by Node alone. */
  readonly uses: Set<Use> = new Set();
  /** Pass-private notes: never written. */
  get meta(): Map<string, unknown> {
    this.#meta ??= new Map();
    return this.#meta;
  }
  #docString: string | undefined;
  get docString(): string | undefined {
    return this.#docString;
  }
  set docString(docString: string | undefined) {
    this.#docString = docString;
    this.changed = true;
  }
  get metadataProps(): Map<string, string> {
    this.#metadataProps ??= new WatchedMap(() => {
      this.changed = true;
    });
    return this.#metadataProps;
  }
  get hasMetadataProps(): boolean {
    return this.#metadataProps !== undefined && this.#metadataProps.size > 0;
  }
  /** Graphs that give this value out: its own, or subgraphs that pass it through. Maintained by Graph alone. */
  readonly outputOf: Graph[] = [];
  /** True when name or type changed since reading, so the ValueInfoProto must be written anew. */
  changed = false;
  /** True when opaque parts of the model (training_info, quantization_annotation, sharding) name it: it must not be renamed or removed. */
  pinned = false;
  /** A sparse initializer: a constant whose content is kept byte for byte but not computed with. */
  sparse: object | undefined = undefined;

  constructor(graph: Graph, name: string, type?: ValueType) {
    this.graph = graph;
    this.#name = name;
    this.#type = type;
  }

  get name(): string {
    return this.#name;
  }

  /** Renames it everywhere it is used. The caller makes sure that the name is free (`model.freshName`). */
  set name(name: string) {
    if (name === this.#name) return;
    if (this.pinned) throw bug(`value "${this.#name}" is named by parts of the model that are kept as bytes`);
    this.graph.renamed(this, this.#name, name);
    this.#name = name;
    this.changed = true;
    if (this.producer) this.producer.changed = true;
    for (const use of this.uses) use.node.changed = true;
  }

  get type(): ValueType | undefined {
    return this.#type;
  }

  set type(type: ValueType | undefined) {
    this.#type = type;
    this.changed = true;
  }

  /** Records a type that inference found. Unlike `type =` it does not count as a change, so an untouched model stays byte-identical. */
  inferType(type: ValueType | undefined): void {
    this.#type = type;
  }

  /** The initializer, or undefined. For "is this constant, and what is it" ask `constantTensor(value)` instead. */
  get tensor(): Tensor | undefined {
    return this.#tensor;
  }

  set tensor(tensor: Tensor | undefined) {
    if (tensor === this.#tensor) return;
    const { observer } = this.graph.model;
    if (this.#tensor) observer?.constantMoved(this, -1);
    this.#tensor = tensor;
    if (tensor) observer?.constantMoved(this, 1);
    observer?.valueChanged(this);
    this.graph.changed = true;
  }

  /** Used by the codec: attaches the initializer without counting as a change. */
  attachTensor(tensor: Tensor): void {
    this.#tensor = tensor;
  }

  get isGraphInput(): boolean {
    return this.graph.hasInput(this);
  }

  /** True when its own graph, or a subgraph, gives it out. */
  get isGraphOutput(): boolean {
    return this.outputOf.length > 0;
  }

  /** Nodes that consume it, each once, in no particular graph. */
  consumers(): Set<Node> {
    const nodes = new Set<Node>();
    for (const use of this.uses) nodes.add(use.node);
    return nodes;
  }

  /** Points every use at `other`. Graph outputs are not touched: see `graph.replaceOutput`. */
  replaceUsesWith(other: Value): void {
    for (const use of [...this.uses]) use.node.setInput(use.slot, other);
  }
}
