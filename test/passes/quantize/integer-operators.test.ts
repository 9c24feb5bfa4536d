/** The operator form of static INT8, held against pairs: the same integers, and outputs within one step of the coarsest scale. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { parseModelBytes } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { verifyModel } from '../../../src/ir/verify.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { quantizeStatic } from '../../../src/passes/quantize/quantize-static.js';
import { calibrate } from '../../../src/workflows/calibrate.js';
import { runModel } from '../../helpers/run-model.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A step of 8 bits, and what a step before the last layer makes of it. */
const ONE_STEP = 1 / 100;

function operators(model: Model): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { opType } of model.graph.nodes) count[opType] = (count[opType] ?? 0) + 1;
  return count;
}

function numbers(count: number, seed: number): string {
  return Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233).toFixed(4)).join(', ');
}

const NETWORK = `<ir_version: 8, opset_import: ["": 17]>
g (float[2,3,8,8] x) => (float[2,5] y, float[2,4] z) <
  float[4,3,3,3] w1 = {${numbers(108, 1)}}, float[4] b1 = {${numbers(4, 2)}},
  float[4,4,1,1] w2 = {${numbers(16, 3)}},
  float[4,4,1,1] w3 = {${numbers(16, 4)}}, float[4] b3 = {${numbers(4, 5)}},
  float[4,8,1,1] w4 = {${numbers(32, 6)}},
  float[4,5] w5 = {${numbers(20, 7)}}, float[5] b5 = {${numbers(5, 8)}},
  float[4,4] w6 = {${numbers(16, 9)}}, float[4] b6 = {${numbers(4, 10)}}
> {
  a = Conv <pads: ints = [1, 1, 1, 1]> (x, w1, b1)
  r = Relu (a)
  m = MaxPool <kernel_shape: ints = [2, 2], strides: ints = [2, 2]> (r)
  b = Conv (m, w2)
  c = Add (m, b)
  d = Conv (c, w3, b3)
  e = Concat <axis: int = 1> (c, d)
  f = Conv (e, w4)
  g1 = GlobalAveragePool (f)
  h = Flatten (g1)
  p = MatMul (h, w5)
  y = Add (p, b5)
  z = Gemm <transB: int = 1> (h, w6, b6)
}`;

async function forms(text: string, opTypes: readonly string[] = []) {
  const original = parseModel(text);
  const tensors = ['x', 'a', 'r', 'm', 'b', 'c', 'd', 'e', 'f', 'g1', 'h', 'p', 'y', 'z'];
  const { ranges } = await calibrate(original, { kind: 'seeded', seed: 1, count: 16 }, { tensors });
  const make = async (options: object) => {
    const model = original.clone();
    inferTypes(model);
    await model.transform(quantizeStatic({ ranges, opTypes, saturates: true, ...options }));
    expect(verifyModel(model)).toEqual([]);
    return model;
  };
  return {
    pairs: await make({}),
    portable: await make({ format: 'qoperator' }),
    contrib: await make({ format: 'qoperator', operators: 'ort' }),
  };
}

/** The largest difference of any element, as a share of the largest value of its output. */
async function largestDifference(a: Model, b: Model): Promise<number> {
  const [first, second] = [await runModel(a), await runModel(b)];
  const differences = first.map((values, output) => {
    const largest = Math.max(...[...values].map(Math.abs));
    return [...values].map((value, at) => Math.abs(value - (second[output]?.[at] ?? Number.NaN)) / largest);
  });
  return Math.max(...differences.flat());
}

describe('useIntegerOperators', () => {
  it('takes standard operators only where nothing else is allowed', async () => {
    const { pairs, portable } = await forms(NETWORK);
    const count = operators(portable);
    expect(count).toMatchObject({ QLinearConv: 4, MatMulInteger: 2, MaxPool: 1 });
    expect(count.Conv ?? 0).toBe(0);
    expect(count.Gemm ?? 0).toBe(0);
    expect([...portable.graph.nodes].every(({ domain }) => domain === '')).toBe(true);
    expect(await largestDifference(pairs, portable)).toBeLessThan(ONE_STEP);
  });

  it('takes those of ONNX Runtime where they are allowed, and leaves next to no pair', async () => {
    const { pairs, contrib } = await forms(NETWORK);
    const count = operators(contrib);
    expect(count).toMatchObject({ QLinearConv: 4, QLinearAdd: 1, QLinearConcat: 1, QGemm: 1, MatMulInteger: 1 });
    expect(await largestDifference(pairs, contrib)).toBeLessThan(ONE_STEP);
  });

  it('writes QLinearMatMul where its output is quantized', async () => {
    const { pairs, portable } = await forms(NETWORK, ['Conv', 'MatMul', 'Add', 'Relu', 'MaxPool']);
    expect(operators(portable)).toMatchObject({ QLinearMatMul: 1 });
    expect(await largestDifference(pairs, portable)).toBeLessThan(ONE_STEP);
  });

  it('keeps pairs where types differ or biases are FLOAT', async () => {
    const model = parseModel(NETWORK);
    const { ranges } = await calibrate(model, { kind: 'seeded', seed: 1, count: 16 });
    inferTypes(model);
    const overrides = [{ match: 'w1', activations: { type: 'u16' as const } }];
    await model.transform(quantizeStatic({ ranges, format: 'qoperator', overrides, biases: 'float' }));
    expect(verifyModel(model)).toEqual([]);
    // The first has 16 bits, the third a bias in FLOAT.
    expect(operators(model)).toMatchObject({ QLinearConv: 2, Conv: 2 });
  });

  it('writes the operators that the Python quantizer of ONNX Runtime writes', async () => {
    const folder = join(ROOT, 'test', 'parity', 'kws-dscnn-model-fused.generated.json');
    const { opTypes, ranges } = JSON.parse(readFileSync(folder, 'utf8')) as {
      readonly opTypes: readonly string[];
      readonly ranges: Readonly<Record<string, readonly [number, number]>>;
    };
    const model = parseModelBytes(
      new Uint8Array(readFileSync(join(ROOT, 'fixtures', 'kws-dscnn', 'model-fused.onnx'))),
    );
    inferTypes(model);
    const measured = new Map(
      Object.entries(ranges).map(([name, bits]) => {
        const [min = 0, max = 0] = new Float32Array(Uint32Array.from(bits).buffer);
        return [name, { min, max }];
      }),
    );
    await model.transform(quantizeStatic({ ranges: measured, opTypes, format: 'qoperator', operators: 'ort' }));
    // onnxruntime 1.32, quantize_static with QuantFormat.QOperator on the same model and operator types.
    expect(operators(model)).toEqual({
      QuantizeLinear: 1,
      QLinearConv: 9,
      QLinearGlobalAveragePool: 1,
      Flatten: 1,
      QGemm: 1,
      DequantizeLinear: 1,
    });
  });
});
