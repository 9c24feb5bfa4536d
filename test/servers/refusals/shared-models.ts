/** The small ONNX models and other files that cases share, as files of `fixtures/triton/models`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { tensorType } from '../../../src/ir/type.js';
import { modelBytes, writeModel } from '../../../src/ir/write-model.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';

/** Graphs as ONNX text without the head. */
const TEXTS: Readonly<Record<string, string>> = {
  batched: 'g (float[N,4] X) => (float[N,4] Y) { Y = Relu (X) }',
  fixed: 'g (float[2,4] X) => (float[2,4] Y) { Y = Relu (X) }',
  single: 'g (float[1,4] X) => (float[1,4] Y) { Y = Relu (X) }',
  row: 'g (float[4] X) => (float[4] Y) { Y = Relu (X) }',
  open: 'g (float[N,L] X) => (float[N,L] Y) { Y = Relu (X) }',
  vector: 'g (float[N] X) => (float[N] Y) { Y = Relu (X) }',
  cube: 'g (float[N,2,3] X) => (float[N,2,3] Y) { Y = Relu (X) }',
  pair: 'g (float[N,4] A, float[N,4] B) => (float[N,4] Y) { Y = Add (A, B) }',
  labelled:
    'g (float[N,4] X) => (float[N,4] P, int64[N] L) { P = Softmax (X)\n L = ArgMax <axis = 1, keepdims = 0> (X) }',
  scalar: 'g (float[N,4] X, float S) => (float[N,4] Y) { Y = Mul (X, S) }',
  total: 'g (float[N,4] X) => (float Y) { Y = ReduceSum <keepdims = 0> (X) }',
  summed: 'g (float[N,4] X) => (float[1,4] Y) <int64[1] axes = {0}> { Y = ReduceSum <keepdims = 1> (X, axes) }',
  text: 'g (string[N,1] X) => (string[N,1] Y) { Y = Identity (X) }',
  half: 'g (float16[N,4] X) => (float16[N,4] Y) { Y = Identity (X) }',
  double: 'g (double[N,4] X) => (double[N,4] Y) { Y = Relu (X) }',
  boolean: 'g (bool[N,4] X) => (int8[N,4] Y) { Y = Cast <to = 3> (X) }',
  image:
    'g (float[N,3,H,W] X) => (float[N,3] Y) <int64[2] axes = {2, 3}> { Y = ReduceMean <axes = [2, 3], keepdims = 0> (X) }',
  sequence: 'g (float[N,4] X) => (seq(float[N,4]) Y) { Y = SequenceConstruct (X, X) }',
  tokens:
    'g (int64[B,S] input_ids, int64[B,S] attention_mask, int64[B,S] token_type_ids) => (float[B,S,1] logits) <int64[1] axes = {2}> {\n' +
    '  masked = Mul (input_ids, attention_mask)\n  typed = Add (masked, token_type_ids)\n  numbers = Cast <to = 1> (typed)\n  logits = Unsqueeze (numbers, axes) }',
  controlled:
    'g (float[N,4] X, float[N,1] START, float[N,1] END, float[N,1] READY, int64[N,1] CORRID) => (float[N,4] Y) {\n' +
    '  who = Cast <to = 1> (CORRID)\n  a = Add (X, START)\n  b = Add (a, END)\n  c = Add (b, READY)\n  Y = Add (c, who) }',
  stateful: 'g (float[N,4] X, float[N,4] H) => (float[N,4] Y, float[N,4] HN) { HN = Add (X, H)\n Y = Relu (HN) }',
  narrower: 'g (float[N,4] X) => (float[N,D] Y) { Y = Relu (X) }',
  deeper: 'g (float[N,4] X) => (float[N,D] Y) <float[P,Q] h> { h = Relu (X)\n Y = Neg (h) }',
  reshaped:
    'g (float[N,4] X) => (float[N,A,B] Y) <int64[1] begin = {0}, int64[1] end = {1}, int64[2] rest = {2, 2}> {\n' +
    '  sizes = Shape (X)\n  rows = Slice (sizes, begin, end)\n  shape = Concat <axis = 0> (rows, rest)\n  Y = Reshape (X, shape) }',
  unshaped: 'g (float[N,4] X) => (float[] Y) { Y = Relu (X) }',
  contradicted: 'g (float[N,4] X) => (float[N,5] Y) { Y = Relu (X) }',
  rows: 'g (float[2,4] X) => (float[N,4] Y) { Y = Relu (X) }',
  wider: 'g (float[N,D] X) => (float[N,4] Y) { Y = Relu (X) }',
  'two-ranks': 'g (float[N,4] X) => (float[N] Y) { Y = Relu (X) }',
  'scalar-as-vector': 'g (float[N,4] X) => (float[1] Y) { Y = ReduceSum <keepdims = 0> (X) }',
  unranked: 'g (float[] X) => (float[] Y) { Y = Relu (X) }',
  counted: 'g (float[N,4] X) => (int64[A,B] Y) { Y = NonZero (X) }',
  'unknown-operator': 'g (float[N,4] X) => (float[N,4] Y) { Y = Frobnicate (X) }',
};
const HEAD = '<ir_version: 8, opset_import: ["": 17]>';
/** FP8 types came with opset 19. */
const FLOAT8 =
  '<ir_version: 9, opset_import: ["": 19]> g (float8e4m3fn[N,4] X) => (float8e4m3fn[N,4] Y) { Y = Identity (X) }';

/** A model whose input W has a default: an initializer of the same name. */
function optionalModel(): Model {
  const model = new Model();
  model.setOpset('', 17);
  const { graph } = model;
  const x = graph.newValue('X', tensorType(DataType.FLOAT, ['N', 4]));
  graph.addInput(x);
  const w = graph.addInitializer('W', Tensor.float32(Float32Array.of(1, 2, 3, 4), [4]));
  w.type = tensorType(DataType.FLOAT, [4]);
  graph.addInput(w);
  const output = { name: 'Y', type: tensorType(DataType.FLOAT, ['N', 4]) };
  graph.addOutput(graph.addNode({ opType: 'Mul', inputs: [x, w], outputs: [output] }).output());
  return model;
}

/** A model with two weights of 8 kB, which stand in a file of their own. */
function weightedModel(): Model {
  const model = new Model();
  model.setOpset('', 17);
  const { graph } = model;
  const a = graph.newValue('A', tensorType(DataType.FLOAT, ['N', 4]));
  graph.addInput(a);
  const data = Float32Array.from({ length: 4 * 512 }, (_, index) => ((index % 7) - 3) / 8);
  const wide = graph.addInitializer('V', Tensor.float32(data, [4, 512]));
  const narrow = graph.addInitializer('W', Tensor.float32(data, [512, 4]));
  const hidden = { name: 'h', type: tensorType(DataType.FLOAT, ['N', 512]) };
  const product = graph.addNode({ opType: 'MatMul', inputs: [a, wide], outputs: [hidden] }).output();
  const output = { name: 'Y', type: tensorType(DataType.FLOAT, ['N', 4]) };
  graph.addOutput(graph.addNode({ opType: 'MatMul', inputs: [product, narrow], outputs: [output] }).output());
  return model;
}

/** Writes all shared files into a folder. Equal on every run. */
export async function writeSharedModels(folder: string, root: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const write = async (name: string, model: Model): Promise<void> =>
    writeFileSync(join(folder, `${name}.onnx`), await modelBytes(model));
  for (const [name, text] of Object.entries(TEXTS)) await write(name, parseModel(`${HEAD} ${text}`));
  await write('float8', parseModel(FLOAT8));
  await write('optional', optionalModel());
  await writeModel(weightedModel(), join(folder, 'external.onnx'), { externalData: 'always', force: true });
  writeFileSync(join(folder, 'echo.py'), readFileSync(join(root, 'test/servers/models/echo_backend.py')));
}
