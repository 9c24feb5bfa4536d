import type { Attribute, AttributeValue } from './attribute.js';
import { Graph } from './graph.js';
import { Model } from './model.js';
import { functionKey } from './model-function.js';
import { Node } from './node.js';
import type { GraphOrigin } from './proto/read-graph.js';
import type { ModelOrigin } from './proto/read-proto.js';
import { Value } from './value.js';

/**
 * An independent copy of a model's graph. Tensors are shared (they are immutable), so it costs nodes, not weights.
 * The copy reads from the same open file: close the model that was read, after both are done.
 */
export function cloneModel(model: Model): Model {
  const copy = new Model(model.graph.name);
  copy.irVersion = model.irVersion;
  copy.producerName = model.producerName;
  copy.producerVersion = model.producerVersion;
  copy.domain = model.domain;
  copy.modelVersion = model.modelVersion;
  copy.docString = model.docString;
  for (const [domain, version] of model.opsets) copy.setOpset(domain, version);
  for (const [key, value] of model.metadata) copy.metadata.set(key, value);
  copy.problems.push(...model.problems);
  copyGraph(model.graph, copy.graph, new Map());
  const origin = model.origin as ModelOrigin | undefined;
  const functions: ModelOrigin['functions'] = new Map();
  for (const fn of model.functions.values()) {
    const graph = new Graph(copy, fn.graph.name);
    copyGraph(fn.graph, graph, new Map());
    const twin = { ...fn, graph, opsets: new Map(fn.opsets) };
    copy.functions.set(functionKey(fn.domain, fn.name, fn.overload), twin);
    const span = origin?.functions.get(fn);
    if (span) functions.set(twin, span);
  }
  if (origin) copy.origin = { ...origin, functions } satisfies ModelOrigin;
  copy.source = model.source;
  copy.ownsSource = false;
  copy.changed = model.changed;
  return copy;
}

function copyGraph(from: Graph, to: Graph, values: Map<Value, Value>): void {
  const twin = (value: Value): Value => {
    const known = values.get(value);
    if (known) return known;
    const copy = from.values.get(value.name) === value ? to.newValue(value.name) : new Value(to, value.name);
    copy.inferType(value.type);
    copy.docString = value.docString;
    if (value.hasMetadataProps) for (const [key, text] of value.metadataProps) copy.metadataProps.set(key, text);
    if (value.tensor) copy.attachTensor(value.tensor);
    copy.sparse = value.sparse;
    copy.pinned = value.pinned;
    copy.changed = value.changed;
    values.set(value, copy);
    return copy;
  };
  to.docString = from.docString;
  if (from.hasMetadataProps) for (const [key, text] of from.metadataProps) to.metadataProps.set(key, text);
  for (const value of from.inputs) to.addInput(twin(value));
  for (const value of from.initializers) to.registerInitializer(twin(value));
  const nodes: [Node, Node][] = [];
  for (const node of from.nodes) {
    const copy = new Node(to, node.opType, node.domain, node.name);
    copy.overload = node.overload;
    copy.docString = node.docString;
    if (node.hasMetadataProps) for (const [key, text] of node.metadataProps) copy.metadataProps.set(key, text);
    copy.origin = node.origin;
    for (const output of node.outputs) copy.addOutput(output ? twin(output) : undefined);
    to.insert(copy);
    nodes.push([node, copy]);
  }
  for (const [node, copy] of nodes) {
    copy.setInputs(node.inputs.map((input) => (input ? (values.get(input) ?? twin(input)) : undefined)));
  }
  for (const [node, copy] of nodes) {
    for (const attribute of node.attributes.values()) copy.setAttribute(copyAttribute(attribute, to, copy, values));
    copy.changed = node.changed;
  }
  for (const output of from.outputs) to.addOutput(values.get(output) ?? twin(output));
  copyOrigin(from, to, values);
  to.changed = from.changed;
}

function copyAttribute(attribute: Attribute, graph: Graph, node: Node, values: Map<Value, Value>): Attribute {
  const copyOf = (inner: Graph): Graph => {
    const copy = new Graph(graph.model, inner.name, node);
    copyGraph(inner, copy, values);
    return copy;
  };
  const { value } = attribute;
  if (value.kind !== 'graph' && value.kind !== 'graphs') return attribute;
  const copied: AttributeValue =
    value.kind === 'graph'
      ? { kind: 'graph', value: copyOf(value.value) }
      : { kind: 'graphs', value: value.value.map(copyOf) };
  return { ...attribute, value: copied };
}

function copyOrigin(from: Graph, to: Graph, values: ReadonlyMap<Value, Value>): void {
  const origin = from.origin as GraphOrigin | undefined;
  if (!origin) return;
  const mapped = <T>(entries: ReadonlyMap<Value, T>): Map<Value, T> => {
    const result = new Map<Value, T>();
    for (const [value, entry] of entries) {
      const copy = values.get(value);
      if (copy) result.set(copy, entry);
    }
    return result;
  };
  to.origin = {
    ...origin,
    inputs: mapped(origin.inputs),
    outputs: mapped(origin.outputs),
    valueInfos: mapped(origin.valueInfos),
    initializers: mapped(origin.initializers),
  } satisfies GraphOrigin;
}
