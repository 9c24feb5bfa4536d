import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { scaleGroup } from '../../../src/passes/quantize/repair/scale-channels.js';
import { scaleGroups } from '../../../src/quantize/repair/scale-groups.js';
import { runModel } from '../../helpers/run-model.js';

const weights = (name: string, dims: readonly number[]): string => {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Array.from({ length: count }, (_, at) => (((at * 7919) % 97) / 48 - 1).toFixed(3));
  return `float[${dims.join(',')}] ${name} = {${values.join(',')}}`;
};

function model(input: string, output: string, constants: readonly string[], nodes: string) {
  const made = parseModel(
    `<ir_version: 8, opset_import: ["" : 17]> g (${input}) => (${output}) <${constants.join(', ')}> { ${nodes} }`,
  );
  inferTypes(made);
  return made;
}

/** Scales every group by factors of its own and compares outputs. */
async function expectSame(made: ReturnType<typeof model>, count: number): Promise<void> {
  const copy = made.clone();
  inferTypes(copy);
  const groups = scaleGroups(copy);
  expect(groups.length).toBe(count);
  for (const group of groups)
    scaleGroup(
      group,
      Float64Array.from({ length: group.channels }, (_, at) => 2 ** ((at % 5) - 2) * 1.3),
    );
  const [before, after] = [await runModel(made), await runModel(copy)];
  for (const [at, values] of before.entries()) {
    const largest = Math.max(...values.map(Math.abs));
    for (const [i, value] of values.entries())
      expect(Math.abs(value - (after[at]?.[i] ?? Number.NaN))).toBeLessThan(1e-5 * largest);
  }
}

const CONVOLUTIONS = [
  weights('w1', [4, 3, 3, 3]),
  weights('b1', [4]),
  weights('w2', [4, 1, 3, 3]),
  weights('w3', [2, 4, 1, 1]),
];

describe('scaleGroups', () => {
  it('finds channels between convolutions, through a clamp at zero, pooling, padding and a depthwise layer', async () => {
    const nodes = `
      a = Conv<pads=[1,1,1,1]>(x, w1, b1)
      r = Relu(a)
      d = Conv<group=4, pads=[1,1,1,1]>(r, w2)
      p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(d)
      y = Conv(p, w3)`;
    await expectSame(model('float[1,3,8,8] x', 'float[1,2,4,4] y', CONVOLUTIONS, nodes), 2);
  });

  it('takes all branches of a sum together, with the constant that is added', async () => {
    const constants = [
      ...CONVOLUTIONS,
      weights('w4', [4, 3, 1, 1]),
      weights('c', [1, 4, 1, 1]),
      weights('w5', [3, 4, 1, 1]),
    ];
    const nodes = `
      a = Conv<pads=[1,1,1,1]>(x, w1, b1)
      b = Conv(x, w4)
      s = Add(a, b)
      t = Add(s, c)
      r = Relu(t)
      u = Conv(r, w3)
      y = GlobalAveragePool(u)
      z = Conv(t, w5)`;
    const made = model('float[1,3,8,8] x', 'float[1,2,1,1] y, float[1,3,8,8] z', constants, nodes);
    await expectSame(made, 1);
    expect(scaleGroups(made)[0]?.readers.length).toBe(2);
  });

  it('finds what a normalization writes for products to read, and pooled channels behind a Reshape', async () => {
    const constants = [weights('g', [6]), weights('b', [6]), weights('w1', [6, 5]), weights('w2', [6, 3])];
    const nodes = `
      n = LayerNormalization(x, g, b)
      y = MatMul(n, w1)
      z = MatMul(n, w2)`;
    const made = model('float[2,3,6] x', 'float[2,3,5] y, float[2,3,3] z', constants, nodes);
    expect(scaleGroups(made).map(({ writers }) => writers)).toEqual(['normalization']);
    await expectSame(made, 1);
    const flat = `
      a = Conv(x, w, b0)
      p = GlobalAveragePool(a)
      f = Flatten(p)
      y = Gemm<transB=1>(f, v)`;
    const more = [weights('w', [4, 3, 1, 1]), weights('b0', [4]), weights('v', [2, 4])];
    await expectSame(model('float[1,3,4,4] x', 'float[1,2] y', more, flat), 1);
  });

  it('finds the values of attention through their heads, and one factor of a gated layer', async () => {
    const constants = [
      weights('v', [6, 8]),
      weights('vb', [8]),
      weights('o', [8, 6]),
      'int64[4] apart = {0, 0, 2, 4}',
      'int64[3] joined = {0, 0, 8}',
    ];
    const attention = `
      h = MatMul(x, v)
      s = Add(h, vb)
      r = Reshape(s, apart)
      t = Transpose<perm=[0,2,1,3]>(r)
      m = MatMul(p, t)
      b = Transpose<perm=[0,2,1,3]>(m)
      j = Reshape(b, joined)
      y = MatMul(j, o)`;
    await expectSame(model('float[1,3,6] x, float[1,2,3,3] p', 'float[1,3,6] y', constants, attention), 1);
    const others = attention.replace('y = MatMul', 'q = ReduceSum(m)  y = MatMul');
    const made = model('float[1,3,6] x, float[1,2,3,3] p', 'float[1,3,6] y, float[1,1,1,1] q', constants, others);
    expect(scaleGroups(made)).toEqual([]);
    const gated = `
      g = MatMul(x, w1)
      s = Sigmoid(g)
      a = Mul(g, s)
      u = MatMul(x, w2)
      m = Mul(a, u)
      y = MatMul(m, w3)`;
    const layers = [weights('w1', [6, 8]), weights('w2', [6, 8]), weights('w3', [8, 5])];
    const both = model('float[1,3,6] x', 'float[1,3,5] y', layers, gated);
    await expectSame(both, 1);
    expect(scaleGroups(both)[0]?.constants.map(({ node }) => node.output().name)).toEqual(['u', 'y']);
  });

  it.each(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization', 'SimplifiedLayerNormalization'])(
    'finds what %s writes, and not the sum beside it',
    async (opType) => {
      const isSkip = opType.startsWith('Skip');
      const inputs = isSkip ? 'x, z, g' : 'x, g';
      const shift = opType === 'SkipLayerNormalization' ? ', b' : '';
      const name = isSkip ? `com.microsoft.${opType}` : opType;
      const text = (output: string, rest: string) =>
        `<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]> g (float[1,3,6] x, float[1,3,6] z) => (${output}) <${[weights('g', [6]), weights('b', [6]), weights('w', [6, 5])].join(', ')}> { ${rest} }`;
      const made = parseModel(text('float[1,3,5] y', `n = ${name}(${inputs}${shift})  y = MatMul(n, w)`));
      inferTypes(made);
      await expectSame(made, 1);
      if (!isSkip) return;
      const sum = parseModel(
        text('float[1,3,5] y', `n, mean, deviation, s = ${name}(${inputs}${shift})  y = MatMul(s, w)`),
      );
      inferTypes(sum);
      expect(scaleGroups(sum)).toEqual([]);
    },
  );

  it('copies scales and shifts that normalizations share', async () => {
    const constants = [weights('g', [6]), weights('b', [6]), weights('w1', [6, 6]), weights('w2', [6, 3])];
    const nodes = `
      n = LayerNormalization(x, g, b)
      h = MatMul(n, w1)
      s = Add(x, h)
      m = LayerNormalization(s, g, b)
      y = MatMul(m, w2)`;
    await expectSame(model('float[2,3,6] x', 'float[2,3,3] y', constants, nodes), 2);
  });

  it.each([
    ['an operator that is not homogeneous', 's = Sigmoid(a)  y = Conv(s, w3)'],
    ['a value times itself', 's = Mul(a, a)  y = Conv(s, w3)'],
    [
      'a clamp above zero',
      'm = Constant<value_float=6.0>()  l = Constant<value_float=0.0>()  s = Clip(a, l, m)  y = Conv(s, w3)',
    ],
    ['another reader that sees the scale', 's = Relu(a)  y = Conv(s, w3)  e = Exp(s)  q = ReduceSum(e)'],
    ['a sum with a constant for all channels', 'm = Constant<value_float=1.5>()  s = Add(a, m)  y = Conv(s, w3)'],
  ])('finds none behind %s', (_, rest) => {
    const outputs = rest.includes('q =') ? 'float[1,2,8,8] y, float[1,1,1,1] q' : 'float[1,2,8,8] y';
    const made = model('float[1,3,8,8] x', outputs, CONVOLUTIONS, `a = Conv<pads=[1,1,1,1]>(x, w1, b1) ${rest}`);
    expect(scaleGroups(made)).toEqual([]);
  });

  it('finds none where the channels leave the model, or where weights are shared', () => {
    const leaving = 'a = Conv<pads=[1,1,1,1]>(x, w1, b1)  y = Conv(a, w3)';
    expect(scaleGroups(model('float[1,3,8,8] x', 'float[1,2,8,8] y, float[1,4,8,8] a', CONVOLUTIONS, leaving))).toEqual(
      [],
    );
    const shared = 'a = Conv<pads=[1,1,1,1]>(x, w1, b1)  r = Relu(a)  y = Conv(r, w3)  z = Conv(x2, w3)';
    const made = model(
      'float[1,3,8,8] x, float[1,4,8,8] x2',
      'float[1,2,8,8] y, float[1,2,8,8] z',
      CONVOLUTIONS,
      shared,
    );
    expect(scaleGroups(made)).toEqual([]);
  });
});
