/** Small models that tests write for themselves. */
import { writeFileSync } from 'node:fs';
import type { Graph } from '../../src/ir/graph.js';
import { Model } from '../../src/ir/model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { tensorType } from '../../src/ir/type.js';
import type { Value } from '../../src/ir/value.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom } from '../../src/tensor/random.js';
import { Tensor } from '../../src/tensor/tensor.js';

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

/** Writes a model given as ONNX text without its head. */
export async function writeText(path: string, text: string, head = HEAD): Promise<void> {
  writeFileSync(path, await modelBytes(parseModel(`${head} ${text}`)));
}

/** Writes a model whose graph `build` makes, at opset 17. */
export async function writeGraph(path: string, build: (graph: Graph) => void): Promise<void> {
  const model = new Model();
  model.setOpset('', 17);
  build(model.graph);
  writeFileSync(path, await modelBytes(model));
}

/** A chain of MatMuls with random weights of `width`² floats each, from `X` [N, width] to `Y`. */
export function writeChain(path: string, layers: number, width: number): Promise<void> {
  const random = createRandom(layers, width);
  return writeGraph(path, (graph) => {
    let value: Value = graph.newValue('X', tensorType(DataType.FLOAT, ['N', width]));
    graph.addInput(value);
    for (let layer = 0; layer < layers; layer++) {
      const data = Float32Array.from({ length: width * width }, () => random.float() - 0.5);
      const weight = graph.addInitializer(`W${layer}`, Tensor.float32(data, [width, width]));
      const name = layer === layers - 1 ? 'Y' : `h${layer}`;
      const output = { name, type: tensorType(DataType.FLOAT, ['N', width]) };
      value = graph.addNode({ opType: 'MatMul', inputs: [value, weight], outputs: [output] }).output();
    }
    graph.addOutput(value);
  });
}

/** A chain of so many Relu, or other nodes of one input, with names of their own. */
export function writeNamedNodes(path: string, count: number, opType = 'Relu'): Promise<void> {
  return writeGraph(path, (graph) => {
    const type = tensorType(DataType.FLOAT, ['N', 4]);
    let value: Value = graph.newValue('X', type);
    graph.addInput(value);
    for (let index = 0; index < count; index++) {
      const output = { name: index === count - 1 ? 'Y' : `value_${index}`, type };
      value = graph.addNode({ name: `layer_${index}`, opType, inputs: [value], outputs: [output] }).output();
    }
    graph.addOutput(value);
  });
}
