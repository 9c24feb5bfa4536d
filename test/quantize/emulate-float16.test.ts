import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { formatType } from '../../src/ir/type.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { convertToFloat16 } from '../../src/passes/quantize/convert-to-float16.js';
import { emulateFloat16 } from '../../src/quantize/emulate-float16.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { runModel } from '../helpers/run-model.js';

const model = (text: string) => parseModel(`<ir_version: 8, opset_import: ["": 17]> ${text}`);

/** Outputs of a graph that is converted to FLOAT16 and computed in emulated half precision. */
async function emulated(text: string, given: ReadonlyMap<string, readonly number[]> = new Map()): Promise<number[][]> {
  const half = model(text);
  await half.transform(convertToFloat16());
  inferTypes(half);
  emulateFloat16(half);
  return runModel(half, given);
}

describe('emulated half precision', () => {
  it('overflows to infinity between two nodes, which ONNX Runtime computes in float', async () => {
    const text = `g (float[3] x) => (float[3] y) <float k = {400}, float d = {1000}> {
      a = Mul (x, k) b = Mul (a, k) c = Div (b, d) y = Relu (c) }`;
    const given = new Map([['x', [0.25, 0.5, 1]]]);
    const [y] = await emulated(text, given);
    expect(y).toEqual([40, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('underflows to subnormals and zero', async () => {
    const text = `g (float[3] x) => (float[3] y) <float s = {1024}> { a = Mul (x, x) b = Mul (a, s) y = Mul (b, s) }`;
    const [y] = await emulated(text, new Map([['x', [1e-2, 3e-4, 1e-4]]]));
    expect(y?.[0]).toBeCloseTo(104.9, 0);
    // 9e-8 is 2 steps of 6e-8 at most, and 1e-8 is none.
    expect(y?.[1]).toBeCloseTo(2 ** -23 * 2 ** 20, 6);
    expect(y?.[2]).toBe(0);
  });

  it('computes with weights as they were rounded, small and large', async () => {
    const half = model(
      'g (float[1,1] x) => (float[1,2] y, float[1,40000] z) <float[1,2] w = {0.1, 3}, float[1,1] big = {1}> { y = MatMul (x, w) z = MatMul (x, big) }',
    );
    const big = half.graph.values.get('big') ?? expect.fail('no big');
    big.tensor = Tensor.float32(new Float32Array(40_000).fill(0.1), [1, 40_000]);
    big.type = { kind: 'tensor', dataType: 1, shape: [1, 40_000] };
    await half.transform(convertToFloat16());
    emulateFloat16(half);
    const [y, z] = await runModel(half, new Map([['x', [1]]]));
    expect(y).toEqual([0.0999755859375, 3]);
    expect(z?.[39_999]).toBe(0.0999755859375);
  });

  it('rounds in the bodies of If and Loop too', async () => {
    const text = `g (float[1] x) => (float[1] y) <int64 trips = {2}, bool go = {1}, float k = {300}, float d = {0.001}> {
      l = Loop (trips, go, x) <body = b (int64 i, bool in, float[1] s) => (bool out, float[1] next) {
        out = Identity (in) next = Mul (s, k) }>
      y = Mul (l, d) }`;
    expect(await emulated(text, new Map([['x', [1]]]))).toEqual([[Number.POSITIVE_INFINITY]]);
    expect((await emulated(text, new Map([['x', [0.5]]])))[0]?.[0]).toBeCloseTo(45, 0);
  });

  it('gives FLOAT inputs and outputs to a model that has FLOAT16 ones, and rounds what comes in', async () => {
    const half = model('g (float16[2] x) => (float16[2] y) { y = Add (x, x) }');
    emulateFloat16(half);
    expect(half.graph.inputs.map(({ type }) => formatType(type))).toEqual(['float[2]']);
    expect(await runModel(half, new Map([['x', [0.1, 7e4]]]))).toEqual([[0.199951171875, Number.POSITIVE_INFINITY]]);
  });
});
