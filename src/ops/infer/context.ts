import type { Attribute, AttributeValue } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { Dim, Shape, TensorType, ValueType } from '../../ir/type.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import type { Footprint } from '../footprint/footprint.js';
import { NodeAttributes } from '../node-attributes.js';
import type { OpSchema } from '../schema.js';
import { type Elements, numericItems, unknownElements } from './elements.js';

/** What inference found out about a graph: its outputs. */
export interface GraphResult {
  readonly types: readonly (ValueType | undefined)[];
  readonly elements: readonly (Elements | undefined)[];
  /** Memory that it takes, where that is measured. */
  readonly footprint?: Footprint;
}

/** What a rule may ask of the engine. */
export interface RuleHost {
  typeOf(value: Value): ValueType | undefined;
  elementsOf(value: Value): Elements | undefined;
  /** Follows a reference to an attribute of the enclosing local function. */
  resolve(attribute: Attribute | undefined): AttributeValue | undefined;
  /** Infers a subgraph of the node, its inputs being of the given types. */
  inferSubgraph(
    graph: Graph,
    inputs: readonly (ValueType | undefined)[],
    elements?: readonly (Elements | undefined)[],
  ): GraphResult;
  report(node: Node, value: Value | undefined, reason: string, kind?: 'size' | 'shape'): void;
  /** Whether memory is measured: then loops are gone through, as far as that is cheap. */
  readonly measuring: boolean;
  /** Tells how often the bodies of the node run at least, where that is known. */
  repeats(times: number): void;
}

/** One node as a rule sees it: types and small values of the inputs, attributes with defaults, and outputs to fill. */
export class RuleContext extends NodeAttributes {
  readonly host: RuleHost;
  readonly #types: (ValueType | undefined)[];
  readonly #elements: (Elements | undefined)[] = [];

  constructor(host: RuleHost, node: Node, schema: OpSchema, outputTypes: (ValueType | undefined)[]) {
    super(node, schema);
    this.host = host;
    this.#types = outputTypes;
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }
  get outputCount(): number {
    return this.node.outputs.length;
  }
  has(slot: number): boolean {
    return this.node.inputs[slot] !== undefined;
  }

  type(slot: number): ValueType | undefined {
    const value = this.node.inputs[slot];
    return value && this.host.typeOf(value);
  }
  tensor(slot: number): TensorType | undefined {
    const type = this.type(slot);
    return type?.kind === 'tensor' || type?.kind === 'sparse_tensor' ? type : undefined;
  }
  dataType(slot: number): DataTypeCode | undefined {
    const dataType = this.tensor(slot)?.dataType;
    return dataType === DataType.UNDEFINED ? undefined : dataType;
  }
  shape(slot: number): Shape {
    return this.tensor(slot)?.shape;
  }
  rank(slot: number): number | undefined {
    return this.shape(slot)?.length;
  }
  dim(slot: number, axis: number): Dim {
    return this.shape(slot)?.at(axis);
  }
  elements(slot: number): Elements | undefined {
    const value = this.node.inputs[slot];
    return value && this.host.elementsOf(value);
  }
  /** The elements, each undefined where only their number is known. */
  partialElements(slot: number): Elements | undefined {
    return this.elements(slot) ?? unknownElements(this.shape(slot));
  }
  /** The elements of an input as numbers, when all are known. */
  numbers(slot: number): number[] | undefined {
    return numericItems(this.elements(slot));
  }
  /** The only element of an input. */
  single(slot: number): Dim {
    const elements = this.elements(slot);
    return elements?.items.length === 1 ? elements.items[0] : undefined;
  }

  override attribute(name: string): AttributeValue | undefined {
    return this.host.resolve(this.node.attributes.get(name));
  }

  outputType(index: number): ValueType | undefined {
    return this.#types[index];
  }
  outputElements(index: number): Elements | undefined {
    return this.#elements[index];
  }
  /** Sets the whole type of an output; undefined leaves it as the schema gave it. */
  setType(index: number, type: ValueType | undefined): void {
    if (type && index < this.outputCount) this.#types[index] = type;
  }
  setDataType(index: number, dataType: DataTypeCode | undefined): void {
    if (dataType === undefined) return;
    const type = this.#types[index];
    this.setType(index, tensorType(dataType, type?.kind === 'tensor' ? type.shape : undefined));
  }
  setShape(index: number, shape: Shape): void {
    const type = this.#types[index];
    if (!shape || (type && type.kind !== 'tensor')) return;
    // No operator gives a negative size: one that came out so is a sign of an ill-formed graph.
    const negative = shape.find((dim) => typeof dim === 'number' && !(dim >= 0));
    if (negative !== undefined) this.problem(`output ${index} would have the size ${negative}`);
    const dims =
      negative === undefined ? shape : shape.map((dim) => (typeof dim === 'number' && !(dim >= 0) ? undefined : dim));
    this.setType(index, tensorType(type?.dataType ?? DataType.UNDEFINED, dims));
  }
  setElements(index: number, elements: Elements | undefined): void {
    this.#elements[index] = elements;
  }

  /** @param kind `shape` for what only a run may tell, with other numbers in its place */
  problem(reason: string, kind: 'size' | 'shape' = 'size'): void {
    this.host.report(this.node, undefined, reason, kind);
  }

  /** An axis counted from the front; undefined (and a report) when it is out of range. */
  axis(axis: number | undefined, rank: number, limit = rank): number | undefined {
    if (axis === undefined) return undefined;
    const resolved = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(resolved) && resolved >= 0 && resolved < limit) return resolved;
    this.problem(`axis ${axis} is out of range for rank ${rank}`);
    return undefined;
  }
  /** Several axes, each once and sorted; undefined when one is out of range. */
  axes(axes: readonly number[], rank: number): number[] | undefined {
    const resolved = new Set<number>();
    for (const axis of axes) {
      const at = this.axis(axis, rank);
      if (at === undefined) return undefined;
      resolved.add(at);
    }
    return [...resolved].sort((a, b) => a - b);
  }
}

/** Fills in the outputs of a node. Never throws for a graph it does not understand: it leaves outputs unknown. */
export type Rule = (context: RuleContext) => void;

/** Operator names, separated by spaces, and their rule. */
export type RuleTable = readonly (readonly [names: string, rule: Rule])[];

/** Axes given as an attribute in old versions and as an input in new ones; `absent` when neither is there. */
export function axesOf(context: RuleContext, slot: number): readonly number[] | 'absent' | 'unknown' {
  const attribute = context.ints('axes');
  if (attribute) return attribute;
  if (context.hasAttribute('axes')) return 'unknown';
  if (!context.has(slot)) return 'absent';
  return context.numbers(slot) ?? 'unknown';
}
