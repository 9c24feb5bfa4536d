/** Which values a model hands out without another layer reading them: heads of detectors, logits of fully convolutional nets. */
import type { Graph } from '../ir/graph.js';
import { functionKey } from '../ir/model-function.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { clampBounds } from './operator-classes.js';

/** Operators that read sizes only: what is computed from them does not depend on the elements. */
const SIZE_OPERATORS: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Operators that mix channels by weights or attention, in every domain: `FusedConv`, `QLinearMatMul`, `MultiHeadAttention`. */
const LAYER_OPERATOR = /Conv|MatMul|Gemm|LSTM|GRU|RNN|Attention|Einsum/;

/**
 * The values that some layer (a node that multiplies by weights, or attention) reads, directly or through other operators. A value
 * that is not among them only goes on to the outputs of the model.
 */
export function valuesForLayers(graphs: Iterable<Graph>): ReadonlySet<Value> {
  const found = new Set<Value>();
  const queue: Value[] = [];
  const add = (value: Value | undefined): void => {
    if (!value || found.has(value)) return;
    found.add(value);
    queue.push(value);
  };
  for (const graph of graphs)
    for (const node of graph.nodes) if (isLayer(node)) for (const input of node.inputs) add(input);
  for (let value = queue.pop(); value; value = queue.pop()) {
    const { producer, outputIndex } = value;
    if (producer) {
      // The bodies of loops may read any of the inputs, and layers in them are found as such.
      if (!SIZE_OPERATORS.has(producer.opType)) for (const input of producer.inputs) add(input);
      for (const { graph } of producer.subgraphs()) {
        if (producer.is('If')) add(graph.outputs[outputIndex]);
        else for (const output of graph.outputs) add(output);
      }
    } else if (value.isGraphInput && value.graph.parent) for (const input of value.graph.parent.inputs) add(input);
  }
  return found;
}

/** The values that outputs of the model are computed of without a layer between. */
export function valuesForOutputs(graphs: Iterable<Graph>): ReadonlySet<Value> {
  const found = new Set<Value>();
  const queue: Value[] = [];
  const add = (value: Value | undefined): void => {
    if (!value || found.has(value)) return;
    found.add(value);
    queue.push(value);
  };
  for (const graph of graphs) if (!graph.parent) for (const output of graph.outputs) add(output);
  for (let value = queue.pop(); value; value = queue.pop()) {
    const { producer, outputIndex } = value;
    if (!producer || isLayer(producer) || SIZE_OPERATORS.has(producer.opType)) continue;
    for (const input of producer.inputs) add(input);
    for (const { graph } of producer.subgraphs()) {
      if (producer.is('If')) add(graph.outputs[outputIndex]);
      else for (const output of graph.outputs) add(output);
    }
  }
  return found;
}

/** A call of a local function counts as a layer: it may hold some. */
function isLayer(node: Node): boolean {
  return (
    LAYER_OPERATOR.test(node.opType) ||
    node.graph.model.functions.has(functionKey(node.domain, node.opType, node.overload))
  );
}

/** True for an output of the model, also one that comes out of the branches of an `If`, or that only a Relu or Clip lies before. */
export function isModelOutput(value: Value): boolean {
  for (const { parent, outputs } of value.outputOf) {
    const outer = parent?.outputs[outputs.indexOf(value)];
    if (!parent || (outer && isModelOutput(outer))) return true;
  }
  if (value.isGraphOutput || value.uses.size !== 1) return false;
  const [use] = value.uses;
  const node = use?.node;
  return node !== undefined && use?.slot === 0 && clampBounds(node) !== undefined && isModelOutput(node.output());
}
