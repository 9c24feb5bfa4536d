import { attribute } from '../ir/attribute.js';
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { tensorType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { Tensor } from '../tensor/tensor.js';

/** The graph outputs that hold smallest and largest element of a tensor, as FLOAT scalars. */
export interface ExposedRange {
  readonly tensor: string;
  /** Absent for a tensor that is never below 0: its minimum counts as 0, which every quantization range includes. */
  readonly minOutput?: string;
  readonly maxOutput: string;
  /** Mean square of each channel, one element a channel, where it was asked for. */
  readonly powerOutput?: string;
}

/** A tensor with its channels on axis 1. */
export interface ChannelShape {
  readonly rank: number;
  readonly channels: number;
}

const LARGEST_FLOAT = Math.fround(3.4028234663852886e38);

/** A value that is computed from a tensor, and what a branch that was not taken reports of it. */
interface Reduction {
  readonly opType: 'ReduceMin' | 'ReduceMax' | 'ReduceMean';
  /** Changes no minimum and no maximum, and is no power of a channel. */
  readonly neutral: Tensor;
  readonly channels?: ChannelShape;
}

const MINIMUM: Reduction = { opType: 'ReduceMin', neutral: Tensor.float32([LARGEST_FLOAT], []) };
const MAXIMUM: Reduction = { opType: 'ReduceMax', neutral: Tensor.float32([-LARGEST_FLOAT], []) };

/**
 * Adds a ReduceMax and, where it can be negative, a ReduceMin output for each named tensor, and drops the outputs the model had: what is left
 * computes ranges and hands out two numbers a tensor. Tensors in branches of `If` are passed out through the node; the
 * other branch then gives a neutral number, so a tensor of a branch never taken has a minimum above its maximum.
 * Names of tensors inside loops, or of none, are passed over. Changes `model`; give it a clone.
 * @param channels tensors of which the mean square of each channel is wanted besides
 */
export function exposeRanges(
  model: Model,
  names: Iterable<string>,
  channels: ReadonlyMap<string, ChannelShape> = new Map(),
): ExposedRange[] {
  const { graph } = model;
  const wanted = new Set(names);
  const found = new Map<string, Value[]>();
  for (const each of walkGraphs(graph)) {
    if (!isObservable(each)) continue;
    for (const value of definitions(each)) {
      if (!wanted.has(value.name)) continue;
      const list = found.get(value.name);
      if (list) list.push(value);
      else found.set(value.name, [value]);
    }
  }
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const exposed: ExposedRange[] = [];
  // Latest first: ONNX Runtime computes for its last leaf node first, so the ranges of early tensors are taken, and their
  // memory is free again, before later ones are computed. In the other order every observed tensor is alive at the end.
  for (const [tensor, values] of [...found].reverse()) {
    for (const value of values) {
      const maxOutput = expose(MAXIMUM, value);
      const neverNegative = value.producer?.is('Relu') ?? false;
      const shape = channels.get(tensor);
      exposed.push({
        tensor,
        ...(neverNegative ? {} : { minOutput: expose(MINIMUM, value) }),
        maxOutput,
        ...(shape ? { powerOutput: expose(power(shape), value) } : {}),
      });
    }
  }
  return exposed;
}

/** The values of a graph in the order in which a run comes to have them. */
function* definitions(graph: Graph): Generator<Value> {
  for (const value of graph.values.values()) if (!value.producer) yield value;
  for (const node of graph.nodes) for (const output of node.outputs) if (output) yield output;
}

/** True for the main graph and for branches of `If` in an observable graph: there a tensor has one value a run. */
export function isObservable(graph: Graph): boolean {
  let current = graph;
  while (current.parent) {
    if (!current.parent.is('If')) return false;
    current = current.parent.graph;
  }
  return current === graph.model.graph;
}

function power(channels: ChannelShape): Reduction {
  const neutral = Tensor.float32(new Float32Array(channels.channels), [channels.channels]);
  return { opType: 'ReduceMean', neutral, channels };
}

/** Reduces a tensor where it is, and passes the result out to the main graph; gives the name of the graph output. */
function expose(reduction: Reduction, value: Value): string {
  const float = asFloat(value);
  let result = reduction.channels
    ? channelPower(float, reduction.channels)
    : reduce(reduction.opType, float, reduction.neutral.dims);
  for (let { graph } = value; graph.parent; graph = graph.parent.graph) result = passOut(reduction, result);
  result.graph.addOutput(result);
  return result.name;
}

/** Makes a result of a branch another output of its `If`. */
function passOut(reduction: Reduction, result: Value): Value {
  const inner = result.graph;
  const node = inner.parent;
  if (!node) return result;
  for (const { graph } of node.subgraphs()) {
    graph.addOutput(graph === inner ? result : neutral(graph, reduction));
  }
  const type = tensorType(DataType.FLOAT, reduction.neutral.dims);
  const outer = node.graph.newValue(node.graph.model.freshName(`${result.name}_outer`), type);
  node.addOutput(outer);
  return outer;
}

function neutral(graph: Graph, { opType, neutral: tensor }: Reduction): Value {
  const node = graph.addNode({
    opType: 'Constant',
    inputs: [],
    outputs: [{ name: `neutral_${opType}`, type: tensorType(DataType.FLOAT, tensor.dims) }],
    attributes: [attribute('value', tensor)],
  });
  return node.output();
}

/** ONNX Runtime has no reductions of half precision on the CPU. */
function asFloat(value: Value): Value {
  const dataType = value.type?.kind === 'tensor' ? value.type.dataType : DataType.FLOAT;
  if (dataType === DataType.FLOAT) return value;
  const cast = value.graph.addNode({
    opType: 'Cast',
    inputs: [value],
    outputs: [{}],
    attributes: [attribute('to', DataType.FLOAT)],
  });
  return cast.output();
}

function reduce(opType: Reduction['opType'], value: Value, dims: readonly number[], axes?: readonly number[]): Value {
  const { graph } = value;
  // From opset 18 on, axes are an input.
  const asInput = axes && graph.model.opset() >= 18;
  const node = graph.addNode({
    opType,
    inputs: asInput ? [value, graph.addInitializer(`${value.name}_axes`, Tensor.int64(axes))] : [value],
    outputs: [{ name: `${value.name}_${opType}`, type: tensorType(DataType.FLOAT, dims) }],
    attributes: [attribute('keepdims', 0), ...(axes && !asInput ? [attribute('axes', axes)] : [])],
  });
  return node.output();
}

/** Mean square over all axes but that of the channels. */
function channelPower(value: Value, { rank, channels }: ChannelShape): Value {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
  const square = value.graph.addNode({ opType: 'Mul', inputs: [value, value], outputs: [{}] });
  return reduce('ReduceMean', square.output(), [channels], axes);
}
