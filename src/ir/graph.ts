import { bug } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Attribute } from './attribute.js';
import type { Model } from './model.js';
import { Node } from './node.js';
import { NodeList } from './node-list.js';
import { tensorType, type ValueType } from './type.js';
import { Value } from './value.js';
import { WatchedMap } from './watched-map.js';

export interface NodeSpec {
  readonly opType: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly (Value | undefined)[];
  /** Output values to own, or names or types for new ones; a bare type gets a fresh name. */
  readonly outputs: readonly (Value | { readonly name?: string; readonly type?: ValueType | undefined })[];
  readonly attributes?: readonly Attribute[];
}

/** A graph: the main one, a subgraph held by an attribute (`parent`), or the body of a local function. */
export class Graph {
  readonly model: Model;
  /** The node whose attribute holds this subgraph. */
  parent: Node | undefined;
  #name: string;
  #docString: string | undefined;
  #metadataProps: Map<string, string> | undefined;
  readonly nodes: NodeList = new NodeList();
  readonly #inputs: Set<Value> = new Set();
  readonly #outputs: Value[] = [];
  readonly #values: Map<string, Value> = new Map();
  /** Initializers in file order. Sparse ones included (their `tensor` is undefined and `sparse` set). */
  readonly #initializers: Set<Value> = new Set();
  /** Where the codec read it; only the codec looks inside. */
  origin: object | undefined = undefined;
  /** True when the graph's own lists changed since reading. Nodes and values keep their own flags. */
  changed = false;

  constructor(model: Model, name: string, parent?: Node) {
    this.model = model;
    this.#name = name;
    this.parent = parent;
  }

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

  get name(): string {
    return this.#name;
  }
  set name(name: string) {
    this.#name = name;
    this.changed = true;
  }

  get inputs(): readonly Value[] {
    return [...this.#inputs];
  }
  hasInput(value: Value): boolean {
    return this.#inputs.has(value);
  }
  get outputs(): readonly Value[] {
    return this.#outputs;
  }
  get initializers(): ReadonlySet<Value> {
    return this.#initializers;
  }
  /** Values defined in this graph by name (inputs, initializers, node outputs). */
  get values(): ReadonlyMap<string, Value> {
    return this.#values;
  }

  /** The value a name means here: of this graph or, for a subgraph, of an enclosing one. */
  lookup(name: string): Value | undefined {
    return this.#values.get(name) ?? this.parent?.graph.lookup(name);
  }

  /** Makes a value that this graph defines. @throws a bug error when the name is taken in this graph. */
  newValue(name: string, type?: ValueType): Value {
    if (this.#values.has(name)) throw bug(`graph "${this.#name}" already has a value "${name}"`);
    const value = new Value(this, name, type);
    this.#values.set(name, value);
    this.model.claimName(name);
    return value;
  }

  addInput(value: Value): void {
    this.#inputs.add(value);
    this.changed = true;
  }
  removeInput(value: Value): void {
    this.#inputs.delete(value);
    this.changed = true;
  }
  addOutput(value: Value): void {
    this.#outputs.push(value);
    value.outputOf.push(this);
    this.changed = true;
  }
  /** Makes output `index` of the graph another value. Interface names stay the caller's duty. */
  replaceOutput(index: number, value: Value): void {
    this.#disown(this.#outputs[index]);
    this.#outputs[index] = value;
    value.outputOf.push(this);
    this.changed = true;
    this.model.observer?.valueChanged(value);
  }
  removeOutput(index: number): void {
    this.#disown(this.#outputs[index]);
    this.#outputs.splice(index, 1);
    this.changed = true;
  }

  #disown(value: Value | undefined): void {
    const at = value ? value.outputOf.indexOf(this) : -1;
    if (at < 0 || !value) return;
    value.outputOf.splice(at, 1);
    this.model.observer?.valueChanged(value);
  }

  /** Adds a constant. The name is made unique when taken. */
  addInitializer(name: string, tensor: Tensor): Value {
    const value = this.newValue(this.model.freshName(name), tensorType(tensor.dataType, tensor.dims));
    value.tensor = tensor;
    this.registerInitializer(value);
    return value;
  }

  /** Lists a value among the initializers. */
  registerInitializer(value: Value): void {
    this.#initializers.add(value);
    this.changed = true;
  }

  /** Takes an initializer off the list and, if nothing else holds it, out of the graph. */
  removeInitializer(value: Value): void {
    this.#initializers.delete(value);
    value.tensor = undefined;
    if (!value.isGraphInput && value.producer === undefined) this.#values.delete(value.name);
    this.changed = true;
  }

  /** Makes a node and puts it before `before`, or at the end. */
  addNode(spec: NodeSpec, before?: Node): Node {
    const node = new Node(this, spec.opType, spec.domain ?? '', spec.name ?? '');
    node.setInputs(spec.inputs);
    for (const output of spec.outputs) {
      if (output instanceof Value) node.addOutput(output);
      else
        node.addOutput(
          this.newValue(this.model.freshName(output.name ?? `${spec.name || spec.opType}_output`), output.type),
        );
    }
    for (const attribute of spec.attributes ?? []) {
      node.setAttribute(attribute);
      if (attribute.value.kind === 'graph') attribute.value.value.parent = node;
    }
    this.insert(node, before);
    return node;
  }

  insert(node: Node, before?: Node): void {
    node.graph = this;
    this.nodes.insert(node, before);
    this.changed = true;
    this.model.observer?.nodeInserted(node);
  }

  /** Takes a node out. @throws a bug error when an output is still used or is a graph output. */
  remove(node: Node): void {
    for (const output of node.outputs) {
      if (!output || output.producer !== node) continue;
      if (output.uses.size > 0 || output.isGraphOutput)
        throw bug(`node "${node.name}" (${node.opType}) still feeds "${output.name}"`);
    }
    node.detach();
    for (const output of node.outputs) {
      if (output && output.producer === node) {
        output.producer = undefined;
        this.#values.delete(output.name);
      }
    }
    this.nodes.delete(node);
    this.changed = true;
    this.model.observer?.nodeRemoved(node);
  }

  /** Forgets a value that has neither producer nor place in the graph's lists. */
  forget(value: Value): void {
    if (this.#values.get(value.name) === value) this.#values.delete(value.name);
    this.changed = true;
  }

  /** Called by Value when it is renamed. */
  renamed(value: Value, from: string, to: string): void {
    if (this.#values.get(to) !== undefined) throw bug(`graph "${this.#name}" already has a value "${to}"`);
    this.#values.delete(from);
    this.#values.set(to, value);
    this.model.claimName(to);
    this.changed = true;
  }
}
