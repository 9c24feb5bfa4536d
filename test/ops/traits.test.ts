import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { opSchema } from '../../src/ops/schema.js';
import * as traits from '../../src/ops/traits.js';

function firstNode(opset: number, body: string) {
  const model = parseModel(
    `<ir_version: 8, opset_import: ["": ${opset}, "x": 1]> net (float[a] x, bool c) => (float[] out) { ${body} }`,
  );
  const [node] = model.graph.nodes;
  if (!node) throw new Error('no node');
  return node;
}

describe('operator traits', () => {
  it('name only operators that exist', () => {
    const names = new Set<string>(traits.INTEGER_KERNEL.keys());
    for (const table of [
      traits.COMMUTATIVE,
      traits.NONDETERMINISTIC,
      traits.DATA_MOVEMENT,
      traits.ORDER_PRESERVING,
      traits.ELEMENTWISE_UNARY,
      traits.ELEMENTWISE_BROADCAST,
      traits.SHAPE_ONLY,
      traits.MAC_OPERATORS,
    ])
      for (const name of table) names.add(name);
    for (const name of names) expect(opSchema('', name, 99), name).toBeDefined();
  });

  it('agree with the schemas on determinism', () => {
    for (const name of traits.NONDETERMINISTIC) expect(opSchema('', name, 99)?.determinism).toBe('nondeterministic');
  });

  it.each([
    ['Relu', 17, 'out = Relu(x)', true],
    ['a random operator', 17, 'out = RandomNormalLike(x)', false],
    ['Dropout at inference', 17, 'out = Dropout(x)', true],
    ['Dropout with a mode from outside', 17, 'out = Dropout(x, , c)', false],
    ['Dropout of opset 6 in training mode', 6, 'out = Dropout(x)', false],
    ['Dropout of opset 6 in test mode', 6, 'out = Dropout<is_test=1>(x)', true],
    ['a custom operator', 17, 'out = x.Custom(x)', false],
    [
      'If with a random branch',
      17,
      'out = If (c) <then_branch = g () => (float[] p) { p = RandomNormalLike(x) }, else_branch = h () => (float[] q) { q = Relu(x) }>',
      false,
    ],
  ])('%s', (_, opset, body, want) => {
    expect(traits.isDeterministic(firstNode(opset, body))).toBe(want);
  });
});
