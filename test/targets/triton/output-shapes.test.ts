import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { outputShapes } from '../../../src/targets/triton/lint/onnx-facts.js';
import { mergedShape } from '../../../src/targets/triton/output-shapes.js';

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

describe('mergedShape', () => {
  it.each([
    [
      ['N', 'D'],
      ['N', 4],
      ['N', 4],
    ],
    [
      ['N', 4],
      ['N', 'D'],
      ['N', 4],
    ],
    [
      ['N', 5],
      ['N', 4],
      ['N', undefined],
    ],
    [
      ['N', -1],
      ['N', 4],
      ['N', 4],
    ],
    [undefined, ['N', 4], ['N', 4]],
    [['N', 4], undefined, ['N', 4]],
    [['N'], ['N', 4], undefined],
    [[1], [], []],
    [undefined, undefined, undefined],
  ])('makes of %j declared and %j inferred what ONNX Runtime reports: %j', (declared, inferred, merged) => {
    expect(mergedShape(declared, inferred)).toEqual(merged);
  });
});

describe('outputShapes', () => {
  it.each([
    ['the file and inference agree', 'float[N,4] x) => (float[N,4] y) { y = Relu(x) }', true],
    ['an open size has another name', 'float[N,L] x) => (float[M,K] y) { y = Relu(x) }', true],
    ['an open size has no name', 'float[?,?] x) => (float[?,?] y) { y = Relu(x) }', true],
    ['a size is declared that is open', 'float[N,L] x) => (float[N,4] y) { y = Relu(x) }', true],
    ['a size is an expression of open ones', 'float[N,L] x) => (float[M,K] y) { y = Concat<axis=1>(x, x) }', true],
    ['a size is inferred that is declared as open', 'float[N,4] x) => (float[N,D] y) { y = Relu(x) }', false],
    ['two sizes contradict each other', 'float[N,4] x) => (float[N,5] y) { y = Relu(x) }', false],
    ['there is no shape', 'float[N,4] x) => (float[] y) { y = Relu(x) }', false],
    ['nothing is inferred', 'float[N,4] x) => (float[N,4] y) { y = Mystery(x) }', false],
    ['a size depends on values', 'float[N,4] x) => (int64[A,B] y) { y = NonZero(x) }', false],
  ])('settles what the server sees, or not: %s', (_, text, isSettled) => {
    expect(outputShapes(parseModel(`${HEAD} g (${text}`)).get('y')?.isSettled).toBe(isSettled);
  });
});
