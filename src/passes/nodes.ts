/** Small questions and edits on nodes that several passes share. */
import type { Graph, NodeSpec } from '../ir/graph.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { walkGraphs } from '../ir/walk.js';
import { dropIfUnused } from './constants.js';

export { nodeLabel } from '../ir/problem.js';

/** The only node that consumes a value, when it does so once, in the same graph, and the value is no graph output. */
export function onlyConsumer(value: Value): Node | undefined {
  if (value.uses.size !== 1 || value.isGraphOutput || value.pinned) return undefined;
  for (const use of value.uses) return use.node.graph === value.graph ? use.node : undefined;
  return undefined;
}

/**
 * Removes `node` (whose first input `producer` computes for it alone) and lets `producer` compute its output instead.
 * The output keeps its name; metadata and doc string of the removed node move to `producer` where it has none.
 */
export function absorbConsumer(producer: Node, node: Node): void {
  const inner = producer.output();
  const outer = node.output();
  producer.setOutput(0, outer);
  node.graph.remove(node);
  producer.graph.forget(inner);
  for (const [key, text] of node.metadataProps) {
    if (!producer.metadataProps.has(key)) producer.metadataProps.set(key, text);
  }
  producer.docString ??= node.docString;
}

/** Takes a node with one output out of its graph and gives that output, which now has no producer, for another node to own. */
export function releaseOutput(node: Node): Value {
  const output = node.output();
  node.setOutput(0, undefined);
  node.graph.remove(node);
  return output;
}

/** Takes a node out of its graph, with constants that only it read, and gives its outputs, which now have no producer, for other nodes to own. */
export function releaseOutputs(node: Node): (Value | undefined)[] {
  const outputs = node.outputs.slice();
  const inputs = node.inputs.slice();
  for (const index of outputs.keys()) node.setOutput(index, undefined);
  node.graph.remove(node);
  for (const input of inputs) if (input && (!input.producer || input.producer.is('Constant'))) dropIfUnused(input);
  return outputs;
}

/** Copies what people attached to a node to the one that takes its place. */
export function copyMetadata(from: Node, to: Node): void {
  for (const [key, text] of from.metadataProps) to.metadataProps.set(key, text);
  if (from.docString !== undefined) to.docString = from.docString;
}

/** True when nothing reads a value and no interface names it. */
export function isUnused(value: Value): boolean {
  return value.uses.size === 0 && !value.isGraphOutput && !value.pinned;
}

/** Removes a node of whose outputs none is used, then what only it read, in turn. Leaves nodes without outputs alone. */
export function removeUnused(node: Node): void {
  const waiting = [node];
  for (let current = waiting.pop(); current; current = waiting.pop()) {
    if (current.removed || current.outputs.length === 0) continue;
    if (!current.outputs.every((output) => !output || isUnused(output))) continue;
    const captured = current.subgraphs().flatMap(({ graph }) => capturedValues(graph));
    const inputs = new Set([...current.inputs, ...captured]);
    current.graph.remove(current);
    for (const input of inputs) {
      if (!input) continue;
      if (input.producer && !input.producer.is('Constant')) waiting.push(input.producer);
      else dropIfUnused(input);
    }
  }
}

/** Values of enclosing graphs that a subgraph reads, with those of graphs inside it. */
export function capturedValues(graph: Graph): Value[] {
  const inside = new Set(walkGraphs(graph));
  const captured = new Set<Value>();
  for (const body of inside) {
    for (const node of body.nodes)
      for (const input of node.inputs) if (input && !inside.has(input.graph)) captured.add(input);
    for (const output of body.outputs) if (!inside.has(output.graph)) captured.add(output);
  }
  return [...captured];
}

/**
 * Puts a new node in the place of `last` and lets it compute the same output values, which keep their names. The nodes
 * before `last` stay until nothing reads them.
 */
export function takeOver(last: Node, spec: Omit<NodeSpec, 'outputs'>): Node {
  const { graph } = last;
  const before = last.next;
  const outputs = last.outputs.slice();
  const inputs = last.inputs.slice();
  for (const index of outputs.keys()) last.setOutput(index, undefined);
  graph.remove(last);
  const node = graph.addNode({ name: last.name, ...spec, outputs: [] }, before);
  for (const output of outputs) node.addOutput(output);
  for (const input of inputs) if (input && !input.producer) dropIfUnused(input);
  return node;
}

/** For a new node: the name of the layer that it goes on as; nothing where that has none, so that it takes another. */
export function nameOf(layer: Node): { readonly name?: string } {
  return layer.name === '' ? {} : { name: layer.name };
}

/**
 * Why the readers of `output` cannot be given `replacement` instead, or undefined. A graph output needs a node, or a name,
 * of its own: then the replacement must be computed in the same graph for nobody outside, so that it can take the name over.
 */
export function whyNotForwardable(output: Value, replacement: Value): string | undefined {
  if (output.pinned) return `"${output.name}" is named by parts of the model that are kept as they are`;
  if (!output.isGraphOutput) return undefined;
  if (output.outputOf.some((graph) => graph !== output.graph)) return `"${output.name}" is an output of a subgraph`;
  if (!replacement.producer || replacement.graph !== output.graph)
    return `"${output.name}" is an output of its graph, and the value it equals is not computed in that graph`;
  if (replacement.isGraphOutput || replacement.pinned)
    return `"${output.name}" and the value it equals are both outputs`;
  return undefined;
}

/** Gives the readers of `output`, whose node goes, `replacement` instead. `whyNotForwardable` must have agreed. */
export function forward(output: Value, replacement: Value): void {
  if (!output.isGraphOutput) {
    output.replaceUsesWith(replacement);
    return;
  }
  const producer = replacement.producer;
  const index = replacement.outputIndex;
  if (!producer) return;
  output.producer?.setOutput(output.outputIndex, undefined);
  producer.setOutput(index, output);
  replacement.replaceUsesWith(output);
  replacement.graph.forget(replacement);
}

/** Like `forward`, for any replacement: where the name cannot be handed over an Identity gives it. The node must go afterwards. */
export function giveOutput(node: Node, output: Value, replacement: Value): void {
  if (whyNotForwardable(output, replacement) === undefined) {
    forward(output, replacement);
    return;
  }
  node.setOutput(output.outputIndex, undefined);
  node.graph.addNode({ opType: 'Identity', inputs: [replacement], outputs: [output] }, node);
}
