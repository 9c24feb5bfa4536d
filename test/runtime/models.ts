/** Tiny models for the tests of the runtime, encoded by onnx-proto: independent of serve-opt's own codec. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnx } from 'onnx-proto';
import { DataType, type DataTypeCode } from '../../src/tensor/dtype.js';

export type TestDim = number | string | undefined;

export interface TestValue {
  readonly name: string;
  readonly type?: DataTypeCode;
  readonly shape?: readonly TestDim[];
}

export interface TestGraph {
  readonly nodes: readonly onnx.INodeProto[];
  readonly inputs: readonly TestValue[];
  readonly outputs: readonly TestValue[];
  readonly initializers?: readonly onnx.ITensorProto[];
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attribute: onnx.IAttributeProto[] = [],
): onnx.INodeProto {
  return { opType, input, output, attribute };
}

export function intAttribute(name: string, i: number): onnx.IAttributeProto {
  return { name, type: onnx.AttributeProto.AttributeType.INT, i };
}

export function graphAttribute(name: string, graph: TestGraph): onnx.IAttributeProto {
  return { name, type: onnx.AttributeProto.AttributeType.GRAPH, g: graphProto(graph) };
}

function valueInfo({ name, type = DataType.FLOAT, shape }: TestValue): onnx.IValueInfoProto {
  const dim = shape?.map((d) => (typeof d === 'number' ? { dimValue: d } : d === undefined ? {} : { dimParam: d }));
  return { name, type: { tensorType: { elemType: type, ...(dim ? { shape: { dim } } : {}) } } };
}

function graphProto({ nodes, inputs, outputs, initializers = [] }: TestGraph): onnx.IGraphProto {
  return {
    name: 'test',
    node: [...nodes],
    input: inputs.map(valueInfo),
    output: outputs.map(valueInfo),
    initializer: [...initializers],
  };
}

export function modelBytes(graph: TestGraph, opset = 17, irVersion = 8): Uint8Array {
  const model = { irVersion, opsetImport: [{ domain: '', version: opset }], graph: graphProto(graph) };
  return onnx.ModelProto.encode(onnx.ModelProto.create(model)).finish();
}

/** Writes model files into a fresh folder of their own; gives the path of a file. */
export function modelFolder(): {
  readonly path: string;
  write(name: string, graph: TestGraph, opset?: number, irVersion?: number): string;
} {
  const path = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  return {
    path,
    write(name, graph, opset, irVersion) {
      const file = join(path, name);
      writeFileSync(file, modelBytes(graph, opset, irVersion));
      return file;
    },
  };
}

/** `y = op(x)`. */
export function unary(
  opType: string,
  type: DataTypeCode = DataType.FLOAT,
  shape: readonly TestDim[] = ['N'],
): TestGraph {
  return {
    nodes: [node(opType, ['x'], ['y'])],
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
  };
}

/** Applies Sin `n` times to x: runs for as long as one likes, within one `run`. */
export function endless(): TestGraph {
  const body: TestGraph = {
    nodes: [node('Sin', ['state_in'], ['state_out']), node('Identity', ['go_in'], ['go_out'])],
    inputs: [
      { name: 'step', type: DataType.INT64, shape: [] },
      { name: 'go_in', type: DataType.BOOL, shape: [] },
      { name: 'state_in', shape: [1000] },
    ],
    outputs: [
      { name: 'go_out', type: DataType.BOOL, shape: [] },
      { name: 'state_out', shape: [1000] },
    ],
  };
  return {
    nodes: [node('Loop', ['n', '', 'x'], ['y'], [graphAttribute('body', body)])],
    inputs: [
      { name: 'n', type: DataType.INT64, shape: [] },
      { name: 'x', shape: [1000] },
    ],
    outputs: [{ name: 'y', shape: [1000] }],
  };
}
