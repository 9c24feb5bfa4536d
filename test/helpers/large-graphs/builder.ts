/** Builds models of any size through the IR, in time linear in what is built. */
import type { Attribute } from '../../../src/ir/attribute.js';
import { Graph } from '../../../src/ir/graph.js';
import { Model } from '../../../src/ir/model.js';
import type { Node } from '../../../src/ir/node.js';
import { type Shape, tensorType } from '../../../src/ir/type.js';
import type { Value } from '../../../src/ir/value.js';
import { DataType, type DataTypeCode } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';

/** One large model, or one of a family by size. */
export interface LargeGraph {
  readonly name: string;
  /** The size at which nothing may take long. Its meaning is the family's: nodes, outputs, depth, characters. */
  readonly size: number;
  /** A model of about `size` of whatever the family counts. */
  make(size: number): Model;
}

/** What a node is given beside its operator and inputs. */
export interface NodeOptions {
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: readonly Attribute[];
  readonly type?: DataTypeCode;
  readonly shape?: Shape;
}

/** A model of opset 17 without nodes. */
export function emptyModel(name: string): Model {
  const model = new Model(name);
  model.setOpset('', 17);
  return model;
}

/** Adds an input of the graph. */
export function input(graph: Graph, name: string, shape: Shape, type: DataTypeCode = DataType.FLOAT): Value {
  const value = graph.newValue(name, tensorType(type, shape));
  graph.addInput(value);
  return value;
}

/** Adds a node with one output and gives that. */
export function call(graph: Graph, opType: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
  return callNode(graph, opType, inputs, 1, options).output();
}

/** Adds a node with several outputs. */
export function callNode(
  graph: Graph,
  opType: string,
  inputs: readonly Value[],
  outputs: number,
  { name, domain, attributes, type, shape }: NodeOptions = {},
): Node {
  return graph.addNode({
    opType,
    inputs,
    outputs: Array.from({ length: outputs }, () => ({
      ...(type === undefined ? {} : { type: tensorType(type, shape) }),
    })),
    ...(name === undefined ? {} : { name }),
    ...(domain === undefined ? {} : { domain }),
    ...(attributes === undefined ? {} : { attributes }),
  });
}

/** Makes a value an output of its graph, declared FLOAT unless it has a type. */
export function output(graph: Graph, value: Value, shape?: Shape, type: DataTypeCode = DataType.FLOAT): void {
  if (!value.type) value.type = tensorType(type, shape);
  graph.addOutput(value);
}

/** Adds a FLOAT constant: a scalar for a single number, else of rank 1, unless `dims` says otherwise. */
export function floats(
  graph: Graph,
  name: string,
  data: readonly number[],
  dims: readonly number[] = data.length === 1 ? [] : [data.length],
): Value {
  return graph.addInitializer(name, Tensor.float32(data, dims));
}

/** Adds an INT64 constant of rank 1. */
export function int64s(graph: Graph, name: string, data: readonly number[]): Value {
  return graph.addInitializer(name, Tensor.int64(data));
}

/** A subgraph without content, to be held by the attribute of a node. */
export function subgraph(model: Model, name: string): Graph {
  return new Graph(model, name);
}
