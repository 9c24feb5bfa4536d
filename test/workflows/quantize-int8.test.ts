/**
 * What 8 bits may not lose: one channel of what leaves the model, the bias of a channel without weights, what `alpha` scales, small
 * probabilities. Each model is calibrated on synthetic samples and compared channel by channel.
 */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { allNodes, constantTensor } from '../../src/ir/walk.js';
import { quantizeStatic } from '../../src/passes/quantize/quantize-static.js';
import { DataType } from '../../src/tensor/dtype.js';
import { calibrate } from '../../src/workflows/calibrate.js';
import { runModel } from '../helpers/run-model.js';

/** Reproducible numbers of about unit size, as text. */
function numbers(count: number, seed: number, scale: (index: number) => number = () => 1): string {
  return Array.from({ length: count }, (_, i) => {
    const turn = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return (2 * (turn - Math.floor(turn)) - 1) * scale(i);
  }).join(', ');
}

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

interface Quantized {
  readonly model: Model;
  readonly reasons: readonly string[];
  /** SQNR of each index of the channel axis of the first output, in dB. */
  readonly channels: readonly number[];
}

/** Quantizes a model whose first output has `channels` channels on the axis before `inner` elements. */
async function quantized(text: string, channels: number, inner: number): Promise<Quantized> {
  const original = parseModel(text);
  const { ranges } = await calibrate(original, { kind: 'seeded', seed: 1, count: 32 });
  const model = original.clone();
  const report = await model.transform(quantizeStatic({ ranges }));
  const [before = []] = await runModel(original);
  const [after = []] = await runModel(model);
  const signal = new Float64Array(channels);
  const noise = new Float64Array(channels);
  for (const [i, value] of before.entries()) {
    const channel = Math.floor(i / inner) % channels;
    signal[channel] = (signal[channel] as number) + value ** 2;
    noise[channel] = (noise[channel] as number) + (value - (after[i] ?? Number.NaN)) ** 2;
  }
  const reasons = (report.steps[0]?.refusals ?? []).map(({ node, reason }) => `${node}: ${reason}`);
  return { model, reasons, channels: [...signal].map((s, c) => 10 * Math.log10(s / (noise[c] || 1e-30))) };
}

const worst = ({ channels }: Quantized): number => Math.min(...channels);

const count = (model: Model, opType: string): number =>
  [...allNodes(model)].filter((node) => node.opType === opType).length;

/** Weights of a head with boxes in hundreds beside scores below one. */
const mixed = (outputs: number, inputs: number): string =>
  numbers(outputs * inputs, 5, (i) => (i < (outputs - 1) * inputs ? 100 : 0.1));

const BODY = `w = {${numbers(8 * 3 * 9, 1)}}, float[8] b = {${numbers(8, 2)}}`;

describe('the channels of a head', () => {
  it.each([
    ['a convolution', 'y = Conv (r, h)', 'float[1,3,6,6] y', 3, 36],
    [
      'one behind a Relu and a Concat',
      'c = Conv (r, h) d = Relu (c) y = Concat <axis: int = 1> (d, c)',
      'float[1,6,6,6] y',
      6,
      36,
    ],
    ['a sum of two', 'c = Conv (r, h) d = Conv (r, h) y = Add (c, d)', 'float[1,3,6,6] y', 3, 36],
    ['one that is turned', 'c = Conv (r, h) y = Transpose <perm: ints = [0, 2, 3, 1]> (c)', 'float[1,6,6,3] y', 3, 1],
    ['one that is pooled', 'c = Conv (r, h) y = GlobalAveragePool (c)', 'float[1,3,1,1] y', 3, 1],
    ['one that is read again', 'y = Conv (r, h) z = Conv (y, k)', 'float[1,3,6,6] y, float[1,1,6,6] z', 3, 36],
  ])('keep their signal: %s', async (_, nodes, outputs, channels, inner) => {
    const result = await quantized(
      `${HEAD} g (float[1,3,8,8] x) => (${outputs})
      <float[8,3,3,3] ${BODY}, float[3,8,1,1] h = {${mixed(3, 8)}}, float[1,3,1,1] k = {1, 1, 1}>
      { a = Conv (x, w, b) r = Relu (a) ${nodes} }`,
      channels,
      inner,
    );
    expect(worst(result)).toBeGreaterThan(25);
    expect(result.reasons[0]).toContain('would lose channel 2');
  });

  it('keep their signal in a branch of an If', async () => {
    const result = await quantized(
      `${HEAD} g (float[1,3,8] x) => (float[1,3,6] y)
      <float[8,3,3] w = {${numbers(72, 1)}}, float[3,8,1] h = {${mixed(3, 8)}}, bool c = {1}>
      {
        a = Conv (x, w)
        r = Relu (a)
        n = Not (c)
        m = Not (n)
        y = If (m) <then_branch: graph = yes () => (float[1,3,6] t) { t = Conv (r, h) },
          else_branch: graph = no () => (float[1,3,6] e) { e = Conv (r, h) }>
      }`,
      3,
      6,
    );
    expect(worst(result)).toBeGreaterThan(25);
  });

  it('stay INT8 where they are of one size', async () => {
    const result = await quantized(
      `${HEAD} g (float[1,3,8,8] x) => (float[1,3,6,6] y)
      <float[8,3,3,3] ${BODY}, float[3,8,1,1] h = {${numbers(24, 3)}}>
      { a = Conv (x, w, b) r = Relu (a) y = Conv (r, h) }`,
      3,
      36,
    );
    expect(worst(result)).toBeGreaterThan(25);
    expect(result.reasons).toEqual([]);
    expect(count(result.model, 'QuantizeLinear')).toBe(3);
  });
});

/** The INT32 biases of a model: values and scales. */
function biases(model: Model): { readonly values: number[]; readonly scales: Float32Array }[] {
  const found: { values: number[]; scales: Float32Array }[] = [];
  for (const node of allNodes(model)) {
    const data = node.is('DequantizeLinear') ? constantTensor(node.input(0)) : undefined;
    const scales = constantTensor(node.input(1))?.float32Array();
    if (data?.dataType !== DataType.INT32 || !scales) continue;
    found.push({ values: data.integers().map((q, i) => q * (scales[i % scales.length] as number)), scales });
  }
  return found;
}

describe('the bias of channels without weights', () => {
  it.each([
    ['a convolution', 'a = Conv (x, w, b)', '[4,3,3,3]', 27],
    ['a depthwise convolution', 'a = Conv <group: int = 4> (q, w, b)', '[4,1,3,3]', 9],
  ])('is exact to an INT32 step of its own: %s', async (_, layer, dims, size) => {
    const weights = numbers(4 * size, 1, (i) => (i < size ? 0 : 30));
    const { model } = await quantized(
      `${HEAD} g (float[1,3,8,8] x) => (float[1,1,6,6] y)
      <float[4,3,1,1] u = {${numbers(12, 4, () => 30)}}, float${dims} w = {${weights}},
       float[4] b = {0.4, 0.4, 0.4, 0.4}, float[1,4,1,1] k = {1, 1, 1, 1}>
      { q = Conv (x, u) ${layer} y = Conv (a, k) }`,
      1,
      36,
    );
    const [bias] = biases(model);
    expect(Math.abs((bias?.values[0] ?? 0) - 0.4)).toBeLessThan(1e-8);
    expect(bias?.scales[0]).toBeLessThan(1e-9);
  });

  it.each([
    ['a Gemm', 'y = Gemm <transB: int = 1> (x, w, b)', '[3,8]', (i: number) => (i < 8 ? 0 : 1)],
    ['a MatMul with its Add', 'p = MatMul (x, w) y = Add (p, b)', '[8,3]', (i: number) => (i % 3 === 0 ? 0 : 1)],
  ])('comes out of %s', async (_, layer, dims, scale) => {
    const result = await quantized(
      `${HEAD} g (float[2,8] x) => (float[2,3] y)
      <float${dims} w = {${numbers(24, 1, scale)}}, float[3] b = {0.4, -7, 1e-6}> { ${layer} }`,
      3,
      1,
    );
    expect(result.channels[0]).toBeGreaterThan(100);
    expect(worst(result)).toBeGreaterThan(25);
  });
});

describe('alpha and beta of a Gemm', () => {
  it.each([
    [1e-10, 1],
    [1e-6, -0.5],
    [-3, 2],
    [0, 1],
    [2.5, 0],
  ])('are in what is quantized: alpha %d, beta %d', async (alpha, beta) => {
    const result = await quantized(
      `${HEAD} g (float[2,64] x) => (float[2,4] y)
      <float[4,64] w = {${numbers(256, 1, () => 0.1)}}, float[4] b = {${numbers(4, 2, () => 4)}}>
      { y = Gemm <alpha: float = ${alpha.toFixed(12)}, beta: float = ${beta.toFixed(2)}, transB: int = 1> (x, w, b) }`,
      1,
      1,
    );
    expect(worst(result)).toBeGreaterThan(Math.abs(alpha) > 1 ? 33 : 40);
    expect([...allNodes(result.model)].find((node) => node.is('Gemm'))?.attributes.has('alpha')).toBe(false);
  });
});

describe('small values of operators with a fixed range', () => {
  it.each([
    ['Sigmoid', 'h = Add (x, low) p = Sigmoid (h) y = MatMul (p, k)'],
    ['Softmax', 'p = Softmax <axis: int = -1> (x) y = MatMul (p, k)'],
    ['Softmax behind a Reshape', 'f = Softmax <axis: int = -1> (x) p = Reshape (f, s) y = MatMul (p, k)'],
  ])('keep the steps of what was observed: %s', async (_, nodes) => {
    const result = await quantized(
      `${HEAD} g (float[2,512] x) => (float[2,3] y)
      <float low = {-7}, int64[2] s = {2, 512}, float[512,3] k = {${numbers(1536, 1, () => 50)}}> { ${nodes} }`,
      3,
      1,
    );
    expect(result.reasons).toEqual([]);
    expect(worst(result)).toBeGreaterThan(25);
  });

  it('stay in float where one probability is far above the others', async () => {
    const result = await quantized(
      `${HEAD} g (float[2,512] x) => (float[2,3] y)
      <float sharp = {8}, float[512,3] k = {${numbers(1536, 1, () => 50)}}>
      { h = Mul (x, sharp) p = Softmax <axis: int = -1> (h) y = MatMul (p, k) }`,
      3,
      1,
    );
    expect(result.reasons[0]).toContain('8 bits would round most of the probabilities in "p" to 0');
    expect(count(result.model, 'QuantizeLinear')).toBe(0);
  });
});
