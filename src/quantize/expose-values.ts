import { attribute } from '../ir/attribute.js';
import type { Model } from '../ir/model.js';
import { tensorType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { DataType, dataTypeRow } from '../tensor/dtype.js';
import type { ChannelShape } from './expose-ranges.js';

/** A tensor of the main graph, and the graph output that holds it as FLOAT. */
export interface ExposedValue {
  readonly tensor: string;
  readonly output: string;
  /** Where the mean square of each channel is wanted. */
  readonly channels?: ChannelShape;
}

/** The named tensors of the main graph, in the order in which a run comes to have them. Those of branches are not among them. */
export function mainGraphValues({ graph }: Model, names: Iterable<string>): Value[] {
  const wanted = new Set(names);
  const values: Value[] = [];
  for (const value of graph.values.values()) if (!value.producer && wanted.has(value.name)) values.push(value);
  for (const node of graph.nodes)
    for (const output of node.outputs) if (output && wanted.has(output.name)) values.push(output);
  return values;
}

/** Makes values outputs of the main graph, next to those it has. Changes the model; give it a clone. */
export function exposeValues(
  model: Model,
  values: readonly Value[],
  channels: ReadonlyMap<string, ChannelShape> = new Map(),
): ExposedValue[] {
  const { graph } = model;
  return values.map((value) => {
    const float = throughNode(value);
    if (!graph.outputs.includes(float)) graph.addOutput(float);
    const shape = channels.get(value.name);
    return { tensor: value.name, output: float.name, ...(shape ? { channels: shape } : {}) };
  });
}

/** Inputs of the graph pass through a node, as do other types than FLOAT. */
function throughNode(value: Value): Value {
  const dataType = value.type?.kind === 'tensor' ? value.type.dataType : DataType.FLOAT;
  const isFloat = dataType === DataType.FLOAT;
  if (isFloat && value.producer) return value;
  const shape = value.type?.kind === 'tensor' ? value.type.shape : undefined;
  const node = value.graph.addNode({
    opType: isFloat ? 'Identity' : 'Cast',
    inputs: [value],
    outputs: [{ name: `${value.name}_exposed`, type: tensorType(DataType.FLOAT, shape) }],
    attributes: isFloat ? [] : [attribute('to', DataType.FLOAT)],
  });
  return node.output();
}

/** Bytes of a tensor as FLOAT for so many samples, where its type says them; an open first axis is that of samples. */
export function exposedBytes(value: Value, samples: number): number | undefined {
  const shape = value.type?.kind === 'tensor' ? value.type.shape : undefined;
  if (!shape) return undefined;
  let elements = 1;
  for (const [axis, dim] of shape.entries()) {
    if (typeof dim === 'number') elements *= dim;
    else if (axis === 0) elements *= samples;
    else return undefined;
  }
  return (elements * (dataTypeRow(DataType.FLOAT)?.bits ?? 32)) / 8;
}

/** Adds an output for the number of elements of each value, as FLOAT. Drops the outputs that the model had. */
export function exposeSizes(model: Model, values: readonly Value[]): { tensor: string; maxOutput: string }[] {
  const { graph } = model;
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  return values.map((value) => {
    const size = graph.addNode({ opType: 'Size', inputs: [value], outputs: [{}] });
    const float = graph.addNode({
      opType: 'Cast',
      inputs: [size.output()],
      outputs: [{ name: `${value.name}_size`, type: tensorType(DataType.FLOAT, []) }],
      attributes: [attribute('to', DataType.FLOAT)],
    });
    graph.addOutput(float.output());
    return { tensor: value.name, maxOutput: float.output().name };
  });
}
