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
}

const LARGEST_FLOAT = Math.fround(3.4028234663852886e38);

/** What a branch that was not taken reports: it changes no minimum and no maximum. */
const NEUTRAL = { ReduceMin: LARGEST_FLOAT, ReduceMax: -LARGEST_FLOAT } as const;

type Reduction = keyof typeof NEUTRAL;

/**
 * Adds a ReduceMax and, where it can be negative, a ReduceMin output for each named tensor, and drops the outputs the model had: what is left
 * computes ranges and hands out two numbers a tensor. Tensors in branches of `If` are passed out through the node; the
 * other branch then gives a neutral number, so a tensor of a branch never taken has a minimum above its maximum.
 * Names of tensors inside loops, or of none, are passed over. Changes `model`; give it a clone.
 */
export function exposeRanges(model: Model, names: Iterable<string>): ExposedRange[] {
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
      const maxOutput = expose('ReduceMax', value);
      const neverNegative = value.producer?.is('Relu') ?? false;
      exposed.push(
        neverNegative ? { tensor, maxOutput } : { tensor, minOutput: expose('ReduceMin', value), maxOutput },
      );
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

/** Reduces a tensor where it is, and passes the scalar out to the main graph; gives the name of the graph output. */
function expose(reduction: Reduction, value: Value): string {
  let scalar = reduce(reduction, asFloat(value));
  for (let { graph } = value; graph.parent; graph = graph.parent.graph) scalar = passOut(reduction, scalar);
  scalar.graph.addOutput(scalar);
  return scalar.name;
}

/** Makes a scalar of a branch another output of its `If`. */
function passOut(reduction: Reduction, scalar: Value): Value {
  const inner = scalar.graph;
  const node = inner.parent;
  if (!node) return scalar;
  for (const { graph } of node.subgraphs()) {
    graph.addOutput(graph === inner ? scalar : neutral(graph, reduction));
  }
  const outer = node.graph.newValue(node.graph.model.freshName(`${scalar.name}_outer`), tensorType(DataType.FLOAT, []));
  node.addOutput(outer);
  return outer;
}

function neutral(graph: Graph, reduction: Reduction): Value {
  const node = graph.addNode({
    opType: 'Constant',
    inputs: [],
    outputs: [{ name: `neutral_${reduction}`, type: tensorType(DataType.FLOAT, []) }],
    attributes: [attribute('value', Tensor.float32([NEUTRAL[reduction]], []))],
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

function reduce(reduction: Reduction, value: Value): Value {
  const node = value.graph.addNode({
    opType: reduction,
    inputs: [value],
    outputs: [{ name: `${value.name}_${reduction}`, type: tensorType(DataType.FLOAT, []) }],
    attributes: [attribute('keepdims', 0)],
  });
  return node.output();
}
