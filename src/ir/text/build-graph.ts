import type { Attribute } from '../attribute.js';
import { Graph } from '../graph.js';
import type { Model } from '../model.js';
import { Node } from '../node.js';
import { tensorType } from '../type.js';
import type { Value } from '../value.js';
import type { Scanner } from './scanner.js';
import type { AttributeSyntax, GraphSyntax, NameSyntax, NodeSyntax, ValueSyntax } from './syntax.js';

/** Fills an empty graph from what the text says. @throws SO3003 for names that are not defined or defined twice. */
export function buildGraph(graph: Graph, syntax: GraphSyntax, scanner: Scanner): void {
  for (const input of syntax.inputs) graph.addInput(define(graph, input, scanner, input));
  for (const item of syntax.inputs) if (item.tensor) addInitializer(graph, item, scanner);
  for (const item of syntax.values) if (item.tensor) addInitializer(graph, item, scanner);
  const nodes = syntax.nodes.map((node) => declareNode(graph, node, scanner));
  for (const item of syntax.values) {
    if (item.tensor) continue;
    const value = graph.values.get(item.name);
    if (!value) scanner.fail(`no node of this graph produces the value ${JSON.stringify(item.name)}`, item.at);
    value.inferType(item.type);
  }
  // Outputs before the nodes: a subgraph may not use what is not there, so all names of this graph must be known first.
  for (const output of syntax.outputs) {
    const value = find(graph, output, scanner);
    if (output.type && value.graph === graph && value.type === undefined) value.inferType(output.type);
    graph.addOutput(value);
  }
  nodes.forEach((node, i) => {
    connect(node, syntax.nodes[i] as NodeSyntax, scanner);
  });
}

function define(graph: Graph, label: NameSyntax, scanner: Scanner, value?: ValueSyntax): Value {
  if (label.name === '') scanner.fail('a value needs a name here', label.at);
  if (graph.values.has(label.name)) {
    scanner.fail(`the value ${JSON.stringify(label.name)} is defined twice`, label.at);
  }
  return graph.newValue(label.name, value?.type);
}

function addInitializer(graph: Graph, item: ValueSyntax, scanner: Scanner): void {
  const { tensor } = item;
  if (!tensor) return;
  const known = graph.values.get(item.name);
  const value = known && graph.hasInput(known) && !known.tensor ? known : define(graph, item, scanner);
  if (value.type === undefined) value.inferType(tensorType(tensor.dataType, tensor.dims));
  value.tensor = tensor;
  graph.registerInitializer(value);
}

/** Makes the node with its outputs; inputs come when every output of the graph is known. */
function declareNode(graph: Graph, syntax: NodeSyntax, scanner: Scanner): Node {
  const node = new Node(graph, syntax.opType, syntax.domain, syntax.name);
  node.overload = syntax.overload;
  for (const output of syntax.outputs) {
    node.addOutput(output.name === '' ? undefined : define(graph, output, scanner));
  }
  graph.insert(node);
  return node;
}

function connect(node: Node, syntax: NodeSyntax, scanner: Scanner): void {
  node.setInputs(syntax.inputs.map((input) => (input.name === '' ? undefined : find(node.graph, input, scanner))));
  for (const attribute of syntax.attributes) node.setAttribute(buildAttribute(attribute, node, scanner));
}

function find(graph: Graph, label: NameSyntax, scanner: Scanner): Value {
  const value = graph.lookup(label.name);
  if (!value) scanner.fail(`the value ${JSON.stringify(label.name)} is not defined`, label.at);
  return value;
}

/** An attribute with its graphs built; `node` is the one that holds it. */
export function buildAttribute(syntax: AttributeSyntax, node: Node, scanner: Scanner): Attribute {
  if (syntax.kind === 'plain') return { name: syntax.name, value: syntax.value };
  const graphs = syntax.graphs.map((inner) => {
    const graph = new Graph(node.graph.model, inner.name, node);
    buildGraph(graph, inner, scanner);
    return graph;
  });
  const first = graphs[0];
  if (syntax.kind === 'graph' && first) return { name: syntax.name, value: { kind: 'graph', value: first } };
  return { name: syntax.name, value: { kind: 'graphs', value: graphs } };
}

/** A graph of `model` that hangs on no node: the body of a local function. */
export function buildBody(model: Model, syntax: GraphSyntax, scanner: Scanner): Graph {
  const graph = new Graph(model, syntax.name);
  buildGraph(graph, syntax, scanner);
  return graph;
}
