import { bug } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Attribute, Int64 } from './attribute.js';
import type { Graph } from './graph.js';
import type { Use, Value } from './value.js';
import { WatchedMap } from './watched-map.js';
import { withItem } from './with-item.js';

const utf8 = new TextDecoder();

/** A subgraph and the attribute that holds it. */
export interface HeldGraph {
  readonly name: string;
  readonly graph: Graph;
}

const NONE: readonly HeldGraph[] = [];
const NO_ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map();

/**
 * One operator call. Inputs are values or undefined (an omitted optional); outputs are owned by the node.
 * `domain` is '' for ai.onnx, however the file spelt it.
 */
export class Node {
  #name: string;
  #opType: string;
  #domain: string;
  #overload = '';
  #inputs: (Value | undefined)[] = [];
  #uses: (Use | undefined)[] = [];
  #outputs: (Value | undefined)[] = [];
  /** Made for the first one: most nodes of large graphs have none. */
  #attributes: Map<string, Attribute> | undefined;
  #graphAttributes = 0;
  graph: Graph;
  #docString: string | undefined;
  #metadataProps: Map<string, string> | undefined;
  #meta: Map<string, unknown> | undefined;
  /** Where the codec read it; only the codec looks inside. */
  origin: object | undefined = undefined;
  /** True when anything of its own message changed since reading. Subgraphs keep their own flag. */
  changed = true;
  /** List links, maintained by NodeList alone. */
  previous: Node | undefined = undefined;
  next: Node | undefined = undefined;
  removed = true;

  constructor(graph: Graph, opType: string, domain = '', name = '') {
    this.graph = graph;
    this.#opType = opType;
    this.#domain = domain;
    this.#name = name;
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
  /** Pass-private notes: never written. */
  get meta(): Map<string, unknown> {
    this.#meta ??= new Map();
    return this.#meta;
  }

  get name(): string {
    return this.#name;
  }
  set name(name: string) {
    this.#name = name;
    this.changed = true;
  }
  get opType(): string {
    return this.#opType;
  }
  set opType(opType: string) {
    this.#opType = opType;
    this.#edited();
  }
  get domain(): string {
    return this.#domain;
  }
  set domain(domain: string) {
    this.#domain = domain;
    this.#edited();
  }
  get overload(): string {
    return this.#overload;
  }
  set overload(overload: string) {
    this.#overload = overload;
    this.changed = true;
  }

  #edited(): void {
    this.changed = true;
    this.graph.model.observer?.nodeChanged(this);
  }

  /** True for an operator of the default domain with this name. */
  is(opType: string): boolean {
    return this.#opType === opType && this.#domain === '';
  }

  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs;
  }
  get outputs(): readonly (Value | undefined)[] {
    return this.#outputs;
  }

  /** Input by position; undefined when omitted or absent. */
  input(slot: number): Value | undefined {
    return this.#inputs[slot];
  }

  /** Output by position. @throws when the node has no such output. */
  output(index = 0): Value {
    const value = this.#outputs[index];
    if (!value) throw bug(`node "${this.#name}" (${this.#opType}) has no output ${index}`);
    return value;
  }

  /** Replaces input `slot` (grows the list when needed, with omitted inputs between). */
  setInput(slot: number, value: Value | undefined): void {
    while (this.#inputs.length <= slot) {
      this.#inputs = withItem(this.#inputs, undefined);
      this.#uses = withItem(this.#uses, undefined);
    }
    const old = this.#uses[slot];
    const before = this.#inputs[slot];
    if (old) before?.uses.delete(old);
    this.#inputs[slot] = value;
    if (value) {
      const use = { node: this, slot };
      this.#uses[slot] = use;
      value.uses.add(use);
    } else {
      this.#uses[slot] = undefined;
    }
    const { observer } = this.graph.model;
    if (observer && before) observer.valueChanged(before);
    if (observer && value) observer.valueChanged(value);
    this.#edited();
  }

  setInputs(values: readonly (Value | undefined)[]): void {
    for (let slot = this.#inputs.length - 1; slot >= 0; slot--) this.setInput(slot, undefined);
    this.#inputs = [];
    this.#uses = [];
    values.forEach((value, slot) => {
      this.setInput(slot, value);
    });
    this.changed = true;
  }

  /** Adds an output; undefined stands for an omitted optional output. */
  addOutput(value: Value | undefined): void {
    if (value) {
      value.producer = this;
      value.outputIndex = this.#outputs.length;
    }
    this.#outputs = withItem(this.#outputs, value);
    this.#edited();
  }

  /** Replaces output `index`; the old value is left without producer. */
  setOutput(index: number, value: Value | undefined): void {
    const old = this.#outputs[index];
    if (old && old.producer === this) old.producer = undefined;
    while (this.#outputs.length <= index) this.#outputs = withItem(this.#outputs, undefined);
    this.#outputs[index] = value;
    if (value) {
      value.producer = this;
      value.outputIndex = index;
    }
    this.#edited();
  }

  get attributes(): ReadonlyMap<string, Attribute> {
    return this.#attributes ?? NO_ATTRIBUTES;
  }
  setAttribute(attribute: Attribute): void {
    this.#attributes ??= new Map();
    this.#countGraphs(this.#attributes.get(attribute.name), -1);
    this.#countGraphs(attribute, 1);
    this.#attributes.set(attribute.name, attribute);
    this.#edited();
  }
  removeAttribute(name: string): void {
    this.#countGraphs(this.#attributes?.get(name), -1);
    if (this.#attributes?.delete(name)) this.#edited();
  }

  #countGraphs(attribute: Attribute | undefined, sign: 1 | -1): void {
    if (attribute?.value.kind === 'graph' || attribute?.value.kind === 'graphs') this.#graphAttributes += sign;
  }

  /** An int attribute as a number (values beyond 2^53 saturate), or `fallback` when absent or of another kind. */
  int(name: string, fallback: number): number {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'int' ? toNumber(value.value) : fallback;
  }
  float(name: string, fallback: number): number {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'float' ? value.value : fallback;
  }
  string(name: string, fallback: string): string {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'string' ? utf8.decode(value.value) : fallback;
  }
  ints(name: string): number[] | undefined {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'ints' ? value.value.map(toNumber) : undefined;
  }
  floats(name: string): readonly number[] | undefined {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'floats' ? value.value : undefined;
  }
  tensor(name: string): Tensor | undefined {
    const value = this.#attributes?.get(name)?.value;
    return value?.kind === 'tensor' ? value.value : undefined;
  }

  /** Every subgraph held by an attribute, with the attribute's name. */
  subgraphs(): readonly HeldGraph[] {
    // Asked of every node again and again, and nearly none has any.
    if (this.#graphAttributes === 0) return NONE;
    const held: HeldGraph[] = [];
    for (const { name, value } of this.attributes.values()) {
      if (value.kind === 'graph') held.push({ name, graph: value.value });
      else if (value.kind === 'graphs') for (const graph of value.value) held.push({ name, graph });
    }
    return held;
  }

  /** Drops its uses of other values; called by Graph.remove. */
  detach(): void {
    for (const { graph } of this.subgraphs()) {
      for (const node of graph.nodes) node.detach();
      while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
    }
    for (let slot = 0; slot < this.#inputs.length; slot++) this.setInput(slot, undefined);
  }
}

function toNumber(value: Int64): number {
  if (typeof value === 'number') return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}
