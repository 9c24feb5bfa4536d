import { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import type { Model } from './model.js';
import type { Node } from './node.js';
import type { Value } from './value.js';

/** A graph and all its subgraphs, outer before inner, in node order. */
export function* walkGraphs(graph: Graph): Generator<Graph> {
  const stack = [graph];
  for (let current = stack.pop(); current; current = stack.pop()) {
    yield current;
    const inner: Graph[] = [];
    for (const node of current.nodes) for (const { graph: held } of node.subgraphs()) inner.push(held);
    for (let at = inner.length - 1; at >= 0; at--) stack.push(inner[at] as Graph);
  }
}

/** Every graph of a model: the main one with its subgraphs, then the bodies of local functions with theirs. */
export function* allGraphs(model: Model): Generator<Graph> {
  yield* walkGraphs(model.graph);
  for (const fn of model.functions.values()) yield* walkGraphs(fn.graph);
}

/** Every node of a model, subgraphs and local functions included. */
export function* allNodes(model: Model): Generator<Node> {
  for (const graph of allGraphs(model)) yield* graph.nodes;
}

/**
 * The constant a value stands for, or undefined: an initializer that callers cannot override, or the output of a
 * Constant node holding numbers. Looks no further (no folding). Before IR version 4 every initializer had to be listed
 * as a graph input too, so there the listing means nothing (onnx.proto, IR_VERSION 4).
 */
export function constantTensor(value: Value | undefined): Tensor | undefined {
  if (!value) return undefined;
  if (value.tensor) return value.isGraphInput && value.graph.model.irVersion >= 4 ? undefined : value.tensor;
  const producer = value.producer;
  return producer?.is('Constant') ? constantNodeTensor(producer) : undefined;
}

/** The tensor a Constant node holds in any of its numeric attributes; undefined for strings and sparse tensors. */
export function constantNodeTensor(node: Node): Tensor | undefined {
  for (const { name, value } of node.attributes.values()) {
    if (name === 'value' && value.kind === 'tensor') return value.value;
    if (name === 'value_float' && value.kind === 'float') return Tensor.float32([value.value], []);
    if (name === 'value_floats' && value.kind === 'floats') return Tensor.float32(value.value);
    if (name === 'value_int' && value.kind === 'int') return Tensor.int64([value.value], []);
    if (name === 'value_ints' && value.kind === 'ints') return Tensor.int64(value.value);
  }
  return undefined;
}
