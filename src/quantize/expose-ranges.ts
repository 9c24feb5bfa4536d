import { attribute } from '../ir/attribute.js';
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { tensorType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { DataType } from '../tensor/dtype.js';

/** The graph outputs that hold smallest and largest element of a tensor, as FLOAT scalars. */
export interface ExposedRange {
  readonly tensor: string;
  readonly minOutput: string;
  readonly maxOutput: string;
}

/**
 * Adds a ReduceMin and a ReduceMax output for each named tensor of the main graph, and drops the outputs the model
 * had: what is left computes ranges and hands out two numbers a tensor. Changes `model`; give it a clone.
 * Names that are no tensor of the main graph are passed over.
 */
export function exposeRanges(model: Model, names: Iterable<string>): ExposedRange[] {
  const { graph } = model;
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const exposed: ExposedRange[] = [];
  for (const name of names) {
    const value = graph.values.get(name);
    if (!value) continue;
    const source = asFloat(graph, value);
    exposed.push({
      tensor: name,
      minOutput: reduce(graph, 'ReduceMin', source),
      maxOutput: reduce(graph, 'ReduceMax', source),
    });
  }
  return exposed;
}

/** ONNX Runtime has no reductions of half precision on the CPU. */
function asFloat(graph: Graph, value: Value): Value {
  const dataType = value.type?.kind === 'tensor' ? value.type.dataType : DataType.FLOAT;
  if (dataType === DataType.FLOAT) return value;
  const cast = graph.addNode({
    opType: 'Cast',
    inputs: [value],
    outputs: [{}],
    attributes: [attribute('to', DataType.FLOAT)],
  });
  return cast.output();
}

function reduce(graph: Graph, opType: string, value: Value): string {
  const node = graph.addNode({
    opType,
    inputs: [value],
    outputs: [{ name: `${value.name}_${opType}`, type: tensorType(DataType.FLOAT, []) }],
    attributes: [attribute('keepdims', 0)],
  });
  graph.addOutput(node.output());
  return node.output().name;
}
