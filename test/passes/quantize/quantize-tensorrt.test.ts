import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { allNodes, constantTensor } from '../../../src/ir/walk.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { type QuantizeTensorRtOptions, quantizeTensorrt } from '../../../src/passes/quantize/quantize-tensorrt.js';
import { productUnits } from '../../../src/quantize/activation-products.js';
import { PRODUCTS_STAY, planTensorRt } from '../../../src/quantize/tensorrt-plan.js';
import { TENSORRT_SCHEMES } from '../../../src/quantize/tensorrt-schemes.js';
import { checkQdqRules } from '../../../src/targets/tensorrt/qdq-rules.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { calibrate } from '../../../src/workflows/calibrate.js';
import { runModel } from '../../helpers/run-model.js';

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

function numbers(count: number, seed: number): string {
  return Array.from({ length: count }, (_, i) => {
    const turn = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (turn - Math.floor(turn)) - 1;
  }).join(', ');
}

/** Two convolutions with a skip connection, a pooling and a Gemm with `alpha`. */
const RESIDUAL = `${HEAD}
residual (float[1, 4, 8, 8] x) => (float[1, 3] y)
<
  float[4, 4, 3, 3] w1 = {${numbers(144, 1)}}, float[4] b1 = {${numbers(4, 2)}},
  float[4, 4, 3, 3] w2 = {${numbers(144, 3)}}, float[4] b2 = {${numbers(4, 4)}},
  float[3, 4] w3 = {${numbers(12, 5)}}, float[3] b3 = {${numbers(3, 6)}}
>
{
  a = Conv<pads = [1, 1, 1, 1]>(x, w1, b1)
  r = Relu(a)
  c = Conv<pads = [1, 1, 1, 1]>(r, w2, b2)
  s = Add(c, r)
  t = Relu(s)
  p = GlobalAveragePool(t)
  f = Flatten(p)
  y = Gemm<alpha = 0.5, transB = 1>(f, w3, b3)
}`;

/** One head of attention with a mask. */
const ATTENTION = `${HEAD}
attention (float[1, 3, 4] x) => (float[1, 3, 4] y)
<float[1] zero = {0}, float[1] half = {0.5}, float[1, 1, 3] mask = {0, 0, -4}>
{
  q = Relu(x)
  k = Transpose<perm = [0, 2, 1]>(x)
  v = Identity(x)
  s = MatMul(q, k)
  d = Mul(s, half)
  m = Add(d, mask)
  p = Softmax(m)
  y = MatMul(p, v)
}`;

async function quantized(text: string, options: Partial<QuantizeTensorRtOptions> = {}) {
  const original = parseModel(text);
  inferTypes(original);
  const { observe } = planTensorRt(original, undefined, () => undefined);
  const { ranges } = await calibrate(original, { kind: 'seeded', seed: 1, count: 8 }, { tensors: observe });
  const model = original.clone();
  const report = await model.transform(quantizeTensorrt({ ranges, ...options }));
  inferTypes(model);
  return { original, model, refusals: report.steps.flatMap(({ refusals }) => refusals), observe };
}

function noiseDb(before: readonly number[], after: readonly number[]): number {
  let [signal, noise] = [0, 0];
  for (const [i, value] of before.entries()) {
    signal += value ** 2;
    noise += (value - (after[i] ?? Number.NaN)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

describe('quantize-tensorrt', () => {
  it('puts pairs before layers and skip connections, and nowhere else', async () => {
    const { model, observe, refusals } = await quantized(RESIDUAL);
    expect(observe).toEqual(['x', 'r', 'f']);
    expect(refusals).toEqual([]);
    const pairs = [...allNodes(model)].filter((node) => node.is('QuantizeLinear'));
    expect(pairs.map((node) => node.input(0)?.name)).toEqual(['x', 'r', 'f']);
    const add = [...allNodes(model)].find((node) => node.is('Add'));
    expect(add?.input(0)?.name).toBe('c');
    expect(add?.input(1)?.producer?.opType).toBe('DequantizeLinear');
    expect(checkQdqRules(model)).toEqual([]);
  });

  it.each([false, true])('computes about the same in ONNX Runtime, with weights in float: %s', async (floatWeights) => {
    const { original, model } = await quantized(RESIDUAL, { floatWeights });
    const [before = []] = await runModel(original);
    const [after = []] = await runModel(model);
    expect(noiseDb(before, after)).toBeGreaterThan(25);
    expect(checkQdqRules(model)).toEqual([]);
  });

  it('has no zero point other than 0, signed integers, and float biases', async () => {
    const { model } = await quantized(RESIDUAL);
    for (const node of allNodes(model)) {
      if (!node.is('QuantizeLinear') && !node.is('DequantizeLinear')) {
        if (node.is('Conv') || node.is('Gemm')) expect(constantTensor(node.input(2))?.dataType).toBe(DataType.FLOAT);
        continue;
      }
      const zeroPoint = constantTensor(node.input(2));
      expect(zeroPoint?.dataType).toBe(DataType.INT8);
      expect([...(zeroPoint?.bytes() ?? [1])].every((byte) => byte === 0)).toBe(true);
    }
  });

  it('keeps weights in float behind a QuantizeLinear where INT8 constants cannot be imported', async () => {
    const { model } = await quantized(RESIDUAL, { floatWeights: true });
    const weights = [...allNodes(model)].filter((node) => node.is('QuantizeLinear') && constantTensor(node.input(0)));
    expect(weights.map((node) => node.int('axis', -1))).toEqual([0, 0, 0]);
    const direct = [...allNodes(model)].filter((node) => node.is('DequantizeLinear') && constantTensor(node.input(0)));
    expect(direct).toEqual([]);
  });

  it('takes the earlier of two convolutions for the skip connection', async () => {
    const text = `${HEAD}
down (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
<float[2, 2, 1, 1] w1 = {${numbers(4, 1)}}, float[2, 2, 1, 1] w2 = {${numbers(4, 2)}}>
{
  a = Conv(x, w1)
  b = Conv(x, w2)
  y = Add(b, a)
}`;
    const { model } = await quantized(text);
    const add = [...allNodes(model)].find((node) => node.is('Add'));
    expect(add?.input(0)?.producer?.opType).toBe('Conv');
    expect(add?.input(1)?.producer?.opType).toBe('DequantizeLinear');
    expect(checkQdqRules(model)).toEqual([]);
  });

  it('takes a transposed convolution along its output channels', async () => {
    const text = `${HEAD}
up (float[1, 2, 4, 4] x) => (float[1, 3, 5, 5] y)
<float[2, 3, 2, 2] w = {${numbers(24, 1)}}>
{ y = ConvTranspose(x, w) }`;
    const { model } = await quantized(text);
    const weight = [...allNodes(model)].find((node) => node.is('DequantizeLinear') && constantTensor(node.input(0)));
    expect(weight?.int('axis', 0)).toBe(1);
    expect(constantTensor(weight?.input(1))?.dims).toEqual([3]);
    expect(checkQdqRules(model)).toEqual([]);
  });

  it('leaves products of activations, and layers without a range', async () => {
    const text = `${HEAD}
products (float[2, 4] a, float[4, 3] b) => (float[2, 3] y, float[2, 2] z)
<float[4, 2] w = {${numbers(8, 1)}}>
{
  y = MatMul(a, b)
  z = MatMul(a, w)
}`;
    const { refusals } = await quantized(text);
    expect(refusals.map(({ node, reason }) => [node, reason])).toEqual([['y', PRODUCTS_STAY]]);
    const bare = parseModel(text);
    const report = await bare.transform(quantizeTensorrt({}));
    expect(report.steps[0]?.changed).toBe(0);
    expect(report.steps[0]?.refusals.map(({ reason }) => reason)).toContain(
      'no range was observed for "a": no sample reached it',
    );
  });

  it('gives both operands of a product a pair, a Softmax always that of 0 to 1, where nothing speaks against it', async () => {
    const { model, refusals } = await quantized(ATTENTION, { products: new Map() });
    expect(refusals).toEqual([]);
    for (const node of allNodes(model)) {
      if (!node.is('MatMul')) continue;
      for (const input of node.inputs) expect(input?.producer?.opType).toBe('DequantizeLinear');
    }
    const pair = [...allNodes(model)].find((node) => node.is('QuantizeLinear') && node.input(0)?.name === 'p');
    expect(constantTensor(pair?.input(1))?.float32Array()[0]).toBe(Math.fround(1 / 127));
    expect(checkQdqRules(model)).toEqual([]);
  });

  it('leaves both products of an attention where one of them has no range', async () => {
    const text = ATTENTION.replace('v = Identity(x)', 'v = Mul(x, zero)');
    const { refusals } = await quantized(text, { products: new Map() });
    expect(refusals.map(({ node }) => node).sort()).toEqual(['s', 'y']);
  });

  it('leaves the products that it is told to', async () => {
    const products = new Map([
      ['s', 'measured'],
      ['y', 'measured'],
    ]);
    const { model, refusals } = await quantized(ATTENTION, { products });
    expect(refusals.map(({ reason }) => reason)).toEqual(['measured', 'measured']);
    expect(checkQdqRules(model)).toEqual([]);
  });

  it('finds the two products of one attention, whatever lies beside its Softmax', () => {
    const names = (text: string) =>
      productUnits(parseModel(text)).map(({ nodes }) => nodes.map((node) => node.output().name));
    expect(names(ATTENTION)).toEqual([['s', 'y']]);
    expect(names(ATTENTION.replace('Softmax(m)', 'Relu(m)'))).toEqual([['s'], ['y']]);
  });

  it.each([false, true])(
    'writes FP8 pairs that ONNX Runtime computes, with one scale for a weight: %s',
    async (perTensor) => {
      const { activations, weights } = TENSORRT_SCHEMES.fp8;
      const scheme = perTensor ? { ...weights, granularity: { kind: 'tensor' as const } } : weights;
      const text = RESIDUAL.replace('"": 17', '"": 19').replace('ir_version: 8', 'ir_version: 9');
      const { original, model } = await quantized(text, { activations, weights: scheme });
      const [before = []] = await runModel(original);
      const [after = []] = await runModel(model);
      expect(noiseDb(before, after)).toBeGreaterThan(20);
      expect(checkQdqRules(model)).toEqual([]);
      for (const node of allNodes(model)) {
        if (!node.is('DequantizeLinear')) continue;
        expect(constantTensor(node.input(2))?.dataType).toBe(DataType.FLOAT8E4M3FN);
        const weight = constantTensor(node.input(0));
        if (weight) expect(constantTensor(node.input(1))?.size).toBe(perTensor ? 1 : weight.dims[0]);
      }
      const old = parseModel(RESIDUAL);
      const report = await old.transform(quantizeTensorrt({ activations, weights }));
      expect(report.steps[0]?.notes[0]).toContain('upgrade to opset 19');
    },
  );

  it('refuses opsets without scales per channel', async () => {
    const model = parseModel(RESIDUAL.replace('"": 17', '"": 12'));
    const report = await model.transform(quantizeTensorrt({}));
    expect(report.steps[0]?.changed).toBe(0);
    expect(report.steps[0]?.notes[0]).toContain('opset 12');
  });
});
