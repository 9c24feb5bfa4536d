/** Models with every kind of interface that a .mar must serve, and the models of a folder beside them. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { tensorType } from '../../../src/ir/type.js';
import { modelBytes, writeModel } from '../../../src/ir/write-model.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';

export interface ArchiveModel {
  /** On the server. */
  readonly name: string;
  readonly path: string;
}

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

/** Graphs by the name that they are served under. */
const TEXTS: Readonly<Record<string, string>> = {
  scalar: 'g (float x) => (float y) { y = Neg(x) }',
  'rank-1': 'g (float[N] x) => (float[N] y) { y = Neg(x) }',
  texts: 'g (string[N,2] words) => (string[N,2] same) { same = Identity(words) }',
  three: `g (float[N,2] a, float[N,2] b, int64[N] index) => (float[N,2] sum, int64[N] next)
    { sum = Add(a, b) one = Constant<value_int = 1>() next = Add(index, one) }`,
  'fixed-batch': 'g (float[4,3] x) => (float[4,3] y) { y = Neg(x) }',
  'batch.of-one_1': 'g (float[1,3] x) => (float[1,3] y) { y = Neg(x) }',
  'open-length': 'g (float[N,L] x) => (float[N,L] y) { y = Neg(x) }',
  unnamed: 'g (float[?,3] x) => (float[?,3] y) { y = Neg(x) }',
  // The output claims rows of its own number: no batch may be split by it.
  reduced: 'g (float[?,3] x) => (float[?,3] y) { y = ReduceSum<keepdims = 1>(x, axes) }',
  'all-pairs': 'g (float[N,3] x) => (float[N,N] y) { t = Transpose(x) y = MatMul(x, t) }',
  booleans: 'g (bool[N,2] x) => (bool[N,2] y) { y = Not(x) }',
  'two-symbols': 'g (float[N,3] x, float[M,3] z) => (float[N,3] y, float[M,3] w) { y = Neg(x) w = Neg(z) }',
};

/** Writes the models into a folder. @param shared folder of folders with a model.onnx each */
export async function archiveModels(folder: string, shared: readonly ArchiveModel[]): Promise<readonly ArchiveModel[]> {
  const models: ArchiveModel[] = [];
  for (const [name, text] of Object.entries(TEXTS)) {
    const path = join(folder, `${name}.onnx`);
    const whole = name === 'reduced' ? text.replace('{ y', '{ axes = Constant<value_ints = [0]>() y') : text;
    writeFileSync(path, await modelBytes(parseModel(`${HEAD} ${whole}`)));
    models.push({ name, path });
  }
  const named = join(folder, 'named.onnx');
  writeFileSync(named, await modelBytes(oddNames()));
  models.push({ name: 'named', path: named });
  const outside = join(folder, 'outside', 'model.onnx');
  mkdirSync(join(folder, 'outside'));
  await writeModel(withWeights(), outside, { externalData: 'always' });
  models.push({ name: 'outside', path: outside });
  return [...models, ...shared.filter(({ path }) => existsSync(path))];
}

/** Names of tensors that a language could take for something else. */
function oddNames(): Model {
  const model = new Model();
  model.setOpset('', 17);
  const type = tensorType(DataType.FLOAT, ['N', 2]);
  const input = model.graph.newValue('in/put:0 "é"\\n{}\'%s', type);
  model.graph.addInput(input);
  const output = { name: 'out"put\\:0', type };
  model.graph.addOutput(model.graph.addNode({ opType: 'Neg', inputs: [input], outputs: [output] }).output());
  return model;
}

function withWeights(): Model {
  const model = new Model();
  model.setOpset('', 17);
  const input = model.graph.newValue('x', tensorType(DataType.FLOAT, ['N', 64]));
  model.graph.addInput(input);
  const data = Float32Array.from({ length: 64 * 64 }, (_, index) => Math.sin(index));
  const weight = model.graph.addInitializer('W', Tensor.float32(data, [64, 64]));
  const output = { name: 'y', type: tensorType(DataType.FLOAT, ['N', 64]) };
  model.graph.addOutput(model.graph.addNode({ opType: 'MatMul', inputs: [input, weight], outputs: [output] }).output());
  return model;
}
