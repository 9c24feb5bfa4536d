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
  const read: (Value | undefined)[] = [];
  for (const graph of graphs) for (const node of graph.nodes) if (isLayer(node)) read.push(...node.inputs);
  return reachedBackward(read, (value) => {
    const { producer } = value;
    if (!producer) return value.isGraphInput && value.graph.parent ? value.graph.parent.inputs : [];
    // The bodies of loops may read any of the inputs, and layers in them are found as such.
    const inputs = SIZE_OPERATORS.has(producer.opType) ? [] : producer.inputs;
    return [...inputs, ...bodyOutputs(value, producer)];
  });
}

/** The values that outputs of the model are computed of without a layer between. */
export function valuesForOutputs(graphs: Iterable<Graph>): ReadonlySet<Value> {
  const given: Value[] = [];
  for (const graph of graphs) if (!graph.parent) given.push(...graph.outputs);
  return reachedBackward(given, (value) => {
    const { producer } = value;
    if (!producer || isLayer(producer) || SIZE_OPERATORS.has(producer.opType)) return [];
    return [...producer.inputs, ...bodyOutputs(value, producer)];
  });
}

/** What bodies of its producer give for a value: one output of each branch of an `If`, any of a loop. */
function bodyOutputs({ outputIndex }: Value, producer: Node): (Value | undefined)[] {
  return producer
    .subgraphs()
    .flatMap(({ graph }) => (producer.is('If') ? [graph.outputs[outputIndex]] : [...graph.outputs]));
}

/** Values and all those before them. */
function reachedBackward(
  starts: Iterable<Value | undefined>,
  before: (value: Value) => Iterable<Value | undefined>,
): ReadonlySet<Value> {
  const found = new Set<Value>();
  const queue = [...starts];
  while (queue.length > 0) {
    const value = queue.pop();
    if (!value || found.has(value)) continue;
    found.add(value);
    queue.push(...before(value));
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
