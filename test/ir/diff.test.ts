import { expect, it } from 'vitest';
import { countModel, diffModels } from '../../src/ir/diff.js';
import { parseModel } from '../../src/ir/text/parse-model.js';

const before = parseModel(`<ir_version: 8, opset_import: ["": 17]>
  g (float[2] X, bool C) => (Y) <float[2] w = {1, 2}, int64[1] n = {1}> {
    A = Mul (X, w)
    B = If (C) <then_branch = t () => (T) { T = Constant <value = float[3] {1, 2, 3}> () }, else_branch = e () => (A) {}>
    Y = Identity (B)
  }`);
const after = parseModel(`<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]>
  g (float[2] X, bool C) => (Y) <int8[2] w = {1, 2}, int64[1] n = {1}> { A = com.microsoft.FastMul (X, w)  Y = Identity (A) }`);

it('diffModels counts nodes and constant bytes over all graphs and lists only what differs', () => {
  expect(diffModels(before, after)).toEqual({
    nodes: { before: 4, after: 2 },
    operators: [
      { operator: 'Constant', before: 1, after: 0 },
      { operator: 'If', before: 1, after: 0 },
      { operator: 'Mul', before: 1, after: 0 },
      { operator: 'com.microsoft.FastMul', before: 0, after: 1 },
    ],
    tensorBytes: [
      { dataType: 'float', before: 20, after: 0 },
      { dataType: 'int8', before: 0, after: 2 },
    ],
    totalTensorBytes: { before: 28, after: 10 },
  });
});

it('diffModels compares with a census taken before a model changed in place', () => {
  const census = countModel(after);
  expect(diffModels(census, after)).toMatchObject({ operators: [], tensorBytes: [] });
});
