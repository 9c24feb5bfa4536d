import type { Attribute, AttributeValue } from './attribute.js';
import { Graph } from './graph.js';
import { Node } from './node.js';
import type { Value } from './value.js';

/** Changes of attributes while a body is copied: a reference of a local function becomes what the call says; undefined drops it. */
export type AttributeMapping = (attribute: Attribute) => Attribute | undefined;

export interface CopyNodesOptions {
  /** Put the copies before this node of `to`; at the end without it. */
  readonly before?: Node | undefined;
  /** Front of the names of copied nodes, for example `loop_0/`. */
  readonly namePrefix?: string;
  readonly attributes?: AttributeMapping;
}

/** What stands for a value in the copy; undefined where an optional input is omitted. */
export type ValueMapping = Map<Value, Value | undefined>;

/**
 * Copies nodes, subgraphs included, into another graph of the same or another model. Values in `mapping` are replaced by
 * what they map to; every other value is taken as one of an enclosing graph and kept. New values get fresh names and are
 * added to `mapping`. Tensors are shared.
 */
export function copyNodes(
  nodes: Iterable<Node>,
  to: Graph,
  mapping: ValueMapping,
  options: CopyNodesOptions = {},
): Node[] {
  const copies: Node[] = [];
  for (const node of nodes) copies.push(copyNode(node, to, mapping, options));
  return copies;
}

/** Copies the initializers of a graph into another one, and adds them to `mapping` where they are not in it. */
export function copyInitializers(from: Graph, to: Graph, mapping: ValueMapping): void {
  for (const value of from.initializers) {
    if (mapping.has(value) || !value.tensor) continue;
    mapping.set(value, to.addInitializer(value.name, value.tensor));
  }
}

function copyNode(node: Node, to: Graph, mapping: ValueMapping, options: CopyNodesOptions): Node {
  const copy = new Node(
    to,
    node.opType,
    node.domain,
    node.name === '' ? '' : `${options.namePrefix ?? ''}${node.name}`,
  );
  if (node.overload !== '') copy.overload = node.overload;
  copy.docString = node.docString;
  if (node.hasMetadataProps) for (const [key, text] of node.metadataProps) copy.metadataProps.set(key, text);
  copy.setInputs(node.inputs.map((input) => input && (mapping.has(input) ? mapping.get(input) : input)));
  copy.origin = node.origin;
  for (const output of node.outputs) copy.addOutput(output && newValue(output, to, mapping));
  for (const attribute of node.attributes.values()) {
    const mapped = options.attributes ? options.attributes(attribute) : attribute;
    if (mapped) copy.setAttribute(copyAttribute(mapped, copy, mapping, options));
  }
  to.insert(copy, options.before);
  return copy;
}

function newValue(value: Value, to: Graph, mapping: ValueMapping): Value {
  const copy = to.newValue(to.model.freshName(value.name));
  copy.inferType(value.type);
  copy.docString = value.docString;
  if (value.hasMetadataProps) for (const [key, text] of value.metadataProps) copy.metadataProps.set(key, text);
  mapping.set(value, copy);
  return copy;
}

function copyAttribute(
  attribute: Attribute,
  holder: Node,
  mapping: ValueMapping,
  options: CopyNodesOptions,
): Attribute {
  const copyOf = (graph: Graph): Graph => copySubgraph(graph, holder, mapping, options);
  const { value } = attribute;
  if (value.kind !== 'graph' && value.kind !== 'graphs') return attribute;
  const copied: AttributeValue =
    value.kind === 'graph'
      ? { kind: 'graph', value: copyOf(value.value) }
      : { kind: 'graphs', value: value.value.map(copyOf) };
  return { name: attribute.name, value: copied };
}

function copySubgraph(from: Graph, holder: Node, outer: ValueMapping, options: CopyNodesOptions): Graph {
  const graph = new Graph(holder.graph.model, from.name, holder);
  const mapping: ValueMapping = new Map(outer);
  graph.docString = from.docString;
  for (const input of from.inputs) graph.addInput(newValue(input, graph, mapping));
  copyInitializers(from, graph, mapping);
  copyNodes(from.nodes, graph, mapping, { ...options, before: undefined });
  for (const output of from.outputs) graph.addOutput(mapping.get(output) ?? output);
  return graph;
}
