import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { checkOperators } from '../../src/ops/check-operators.js';

function problemsOf(body: string, opset = 17): readonly string[] {
  const model = parseModel(`<ir_version: 8, opset_import: ["" : ${opset}, "mine" : 1, "ai.onnx.ml" : 3]>
    g (float[N, 4] x, float[N, 1, 8, 8] image, float[N, 1, 8] line, float[N, 4] w) => (float[] y)
    <float[1, 1, 3, 3] k = {1,1,1,1,1,1,1,1,1}, float[3, 3] m = {1,1,1,1,1,1,1,1,1}, int64[1] one = {1}> { ${body} }`);
  return checkOperators(model).map(({ message }) => message);
}

describe('the rules of operators', () => {
  it.each([
    ['an unknown attribute', 'y = Relu <alpha = 1.0> (x)', 'attribute "alpha" is unknown to Relu of opset 14'],
    ['one that a later opset has', 'y = Cast <to = 1, saturate = 1> (x)', 'attribute "saturate" is unknown to Cast'],
    ['a missing attribute', 'y = Concat (x, w)', 'attribute "axis" is required by Concat of opset 13, but missing'],
    ['one of another type', 'y = Concat <axis = 1.0> (x, w)', 'attribute "axis" must be of type int, but is float'],
    ['a list for a number', 'y = Softmax <axis = [1]> (x)', 'attribute "axis" must be of type int, but is ints'],
    ['too many inputs', 'y = Relu (x, w)', 'it has 2 inputs, but Relu takes 1'],
    ['too few inputs', 'y = Add (x)', 'it has 1 input, but Add takes 2'],
    ['too many outputs', 'y, z = Relu (x)', 'it has 2 outputs, but Relu takes 1'],
    ['a required input left out', 'y = Clip ("", one)', 'input "input" is required, but missing'],
    ['an element type that it does not take', 'c = Cast <to = 9> (x) y = Relu (c)', 'X cannot be tensor(bool)'],
    ['two types for one', 'y = Add (x, one)', 'B is tensor(int64)'],
    ['an output type that cannot be', 'y = ArgMax (x)', 'computed as int64'],
    ['a stride of zero', 'y = Conv <strides = [0, 1]> (image, k)', 'strides and dilations must be positive'],
    ['a pool of stride zero', 'y = MaxPool <kernel_shape = [2, 2], strides = [0, 0]> (image)', 'must be positive'],
    [
      'a kernel of another rank',
      'y = Conv <kernel_shape = [3]> (image, k)',
      'kernel_shape is [3], but the weight has [3,3]',
    ],
    ['a pool of another rank', 'y = AveragePool <kernel_shape = [2]> (image)', 'does not fit a kernel of 1 axes'],
    ['an input of another rank', 'y = Conv (line, k)', 'input of rank 3 does not fit a kernel of 2 axes'],
    [
      'a kernel without a side',
      'y = MaxPool <kernel_shape = [0, 2]> (image)',
      'every side of the kernel must be positive',
    ],
    ['pads of another length', 'y = Conv <pads = [1, 1]> (image, k)', 'do not fit 2 spatial axes'],
    ['sizes that cannot be multiplied', 'y = MatMul (x, m)', 'inner sizes differ: 4 and 3'],
    ['a permutation of other axes', 'y = Transpose <perm = [0, 0]> (x)', 'is not a permutation of 2 axes'],
  ])('are broken by %s', (_what, body, reason) => {
    const problems = problemsOf(body);
    expect(problems.join('; ')).toContain(reason);
    expect(problems[0]).toMatch(/^Node "\w+" \(\w+\)/);
  });

  it.each([
    ['operators of other domains', 'y = mine.Relu <alpha = 1.0> (x, x)'],
    ['names that a runtime keeps for itself', 'y = Relu <__note = 1> (x)'],
    ['operators that are not known', 'y = Nonsense <alpha = 1.0> (x)'],
    ['open sizes', 'y = Add (x, w)'],
    ['what an older opset had', 'y = Softmax <axis = 1> (x)'],
  ])('leave alone: %s', (_what, body) => {
    expect(problemsOf(body)).toEqual([]);
  });

  it('are those of the imported version', () => {
    expect(problemsOf('y = ReduceSum <axes = [1]> (x)', 11)).toEqual([]);
    expect(problemsOf('y = ReduceSum <axes = [1]> (x)', 13)).toHaveLength(1);
    expect(problemsOf('y = ReduceSum <axes = [1]> (x)', 99)).toEqual([]);
  });

  it('hold in subgraphs and local functions, but for sizes in branches that need not run', () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["" : 17, "f" : 1]>
      g (bool c, float[2, 3] x) => (float[] y) <int64[1] axis = {0}> {
        z = If (c) <then_branch = t () => (float[] a) { a = Squeeze (x, axis) }, else_branch = e () => (float[] b) { b = Relu <no = 1> (x) }>
        y = f.Act (z) }
      <domain: "f", opset_import: ["" : 17]> Act (p) => (q) { q = LeakyRelu <beta = 1.0> (p) }`);
    expect(checkOperators(model).map(({ message }) => message)).toEqual([
      'Node "b" (Relu): attribute "no" is unknown to Relu of opset 14',
      'Node "q" (LeakyRelu): attribute "beta" is unknown to LeakyRelu of opset 16',
    ]);
  });
});
