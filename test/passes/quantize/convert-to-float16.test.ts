import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { formatType } from '../../../src/ir/type.js';
import { allNodes, constantTensor, walkGraphs } from '../../../src/ir/walk.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { type ConvertToFloat16Options, convertToFloat16 } from '../../../src/passes/quantize/convert-to-float16.js';
import { FLOAT16 } from '../../../src/passes/quantize/float16/narrow-float.js';
import { describeFloat16Report, float16Totals, newFloat16Report } from '../../../src/passes/quantize/float16/report.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { fromFloat16 } from '../../../src/tensor/float16.js';
import { Tensor, typedView } from '../../../src/tensor/tensor.js';
import { runModel } from '../../helpers/run-model.js';

const header = (opset = 17) => `<ir_version: 8, opset_import: ["": ${opset}]>`;

async function convert(model: Model, options: Partial<ConvertToFloat16Options> = {}) {
  const report = await model.transform(convertToFloat16(options));
  return report.steps[0] ?? expect.fail('no step');
}

/** Operators in order, with the target type of each Cast. */
function operators(model: Model): string[] {
  return [...allNodes(model)].map((node) =>
    node.is('Cast') ? `Cast ${node.int('to', 0) === DataType.FLOAT16 ? 'float16' : 'float'}` : node.opType,
  );
}

function typeOf(model: Model, name: string): string {
  for (const graph of walkGraphs(model.graph)) {
    const value = graph.values.get(name);
    if (value) return formatType(value.type);
  }
  return expect.fail(`no value ${name}`);
}

function halves(model: Model, name: string): number[] {
  const tensor = constantTensor(model.graph.values.get(name));
  if (tensor?.dataType !== DataType.FLOAT16) expect.fail(`${name} is not float16`);
  return Array.from(typedView(Uint16Array, tensor.bytes()), fromFloat16);
}

/** Converts, runs both in ONNX Runtime, and expects outputs within a hundredth of their size. */
async function expectSame(text: string, options: Partial<ConvertToFloat16Options> = {}): Promise<Model> {
  const expected = await runModel(parseModel(text));
  const model = parseModel(text);
  await convert(model, options);
  const found = await runModel(model);
  expected.forEach((output, at) => {
    const size = Math.max(1, ...output.map(Math.abs));
    output.forEach((value, i) => {
      expect(Math.abs((found[at]?.[i] ?? Number.NaN) - value)).toBeLessThan(0.01 * size);
    });
  });
  return model;
}

it('leaves random numbers to FLOAT, where ONNX Runtime draws them', async () => {
  await expectSame(
    `${header()} g (float[2,2] x) => (float[2,2] y) <float[2,2] w = {1, 2, 3, 4}, float zero = {0}> {
      a = MatMul (x, w) r = RandomNormalLike (a) z = Mul (r, zero) y = Add (a, z)
    }`,
  );
});

const MLP = `${header()}
  net (float[N,3] x) => (float[N,2] y) <float[3,2] w = {1,2,3,4,5,6}, float[2] b = {0.5,-0.5}> {
    m = MatMul (x, w)
    a = Add (m, b)
    y = Relu (a)
  }`;

describe('convert-to-float16', () => {
  it('converts weights and arithmetic, and keeps names and types of inputs and outputs', async () => {
    const model = await expectSame(MLP);
    expect(operators(model)).toEqual(['Cast float16', 'MatMul', 'Add', 'Relu', 'Cast float']);
    expect([typeOf(model, 'x'), typeOf(model, 'y')]).toEqual(['float[N,3]', 'float[N,2]']);
    expect([typeOf(model, 'w'), typeOf(model, 'm')]).toEqual(['float16[3,2]', 'float16[N,2]']);
  });

  it('converts inputs and outputs too when asked, with no Cast', async () => {
    const model = parseModel(MLP);
    await convert(model, { keepIo: false });
    expect(operators(model)).toEqual(['MatMul', 'Add', 'Relu']);
    expect([typeOf(model, 'x'), typeOf(model, 'y')]).toEqual(['float16[N,3]', 'float16[N,2]']);
  });

  it('changes nothing the second time, and says so', async () => {
    const model = parseModel(MLP);
    await convert(model);
    const step = await convert(model);
    expect([step.changed, step.notes]).toEqual([0, ['nothing to convert: the weights are already FLOAT16']]);
  });

  it('finds nothing to convert where no arithmetic takes float16', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17, "ai.onnx.ml": 3]>
      net (float[N,2] a, float[N,2] b) => (float[N,4] y) {
        c = Concat <axis = 1> (a, b)
        y = ai.onnx.ml.Scaler <offset = [0.0], scale = [2.0]> (c)
      }`);
    const step = await convert(model);
    expect(step.changed).toBe(0);
    expect(step.refusals.map((refusal) => refusal.opType)).toEqual(['Concat', 'Scaler']);
  });

  it('follows a Cast, a Constant and a ConstantOfShape by their attributes', async () => {
    const model = await expectSame(`${header()}
      net (int64[4] n, float[4] x) => (float[4] y) <float[4] w = {1,2,3,4}> {
        f = Cast <to = 1> (n)
        c = Constant <value_float = 0.5> ()
        s = Shape (x)
        o = ConstantOfShape <value = float[1] {1.5}> (s)
        p = Mul (f, c)
        q = Add (p, o)
        r = Mul (q, w)
        y = Add (r, x)
      }`);
    expect(operators(model).filter((op) => op.startsWith('Cast'))).toEqual([
      'Cast float16',
      'Cast float16',
      'Cast float',
    ]);
    expect(typeOf(model, 'o')).toBe('float16[4]');
    expect(halves(model, 'c')).toEqual([0.5]);
  });

  it('leaves inputs that only take float, such as the scales of Resize, alone', async () => {
    const model = await expectSame(`${header()}
      net (float[1,1,2,2] x) => (float[1,1,4,4] y) <float[4] scales = {1,1,2,2}, float[1,1,1,1] w = {2}> {
        c = Conv (x, w)
        y = Resize <mode = "nearest"> (c, , scales)
      }`);
    expect(typeOf(model, 'scales')).toBe('float[4]');
    expect(typeOf(model, 'c')).toBe('float16[1,1,2,2]');
  });

  it('gives a constant that is used in both types a second form instead of a Cast', async () => {
    const model = parseModel(MLP);
    model.graph.addNode({
      opType: 'Relu',
      name: 'kept',
      inputs: [model.graph.values.get('w')],
      outputs: [{ name: 'k' }],
    });
    const step = await convert(model, { exclude: ['kept'] });
    expect(step.refusals).toEqual([
      { pass: 'convert-to-float16', node: 'kept', opType: 'Relu', reason: 'it is excluded' },
    ]);
    expect(typeOf(model, 'w')).toBe('float[3,2]');
    expect(typeOf(model, 'w_float16')).toBe('float16[3,2]');
  });

  it('keeps a large constant that is used in both types once, behind a Cast', async () => {
    const model = parseModel(`${header()}
      net (float[N,1] x) => (float[N,16384] y) <float[1,1] w = {1}> {
        m = MatMul (x, w)
        e = Sqrt (w)
        y = Add (m, e)
      }`);
    const w = model.graph.values.get('w') ?? expect.fail('no w');
    w.tensor = Tensor.float32(new Float32Array(1 << 14).fill(0.5), [1, 1 << 14]);
    w.type = { kind: 'tensor', dataType: DataType.FLOAT, shape: [1, 1 << 14] };
    await convert(model);
    const bytes = [...model.graph.initializers].reduce((sum, { tensor }) => sum + (tensor?.byteLength ?? 0), 0);
    expect(bytes).toBe(1 << 16);
    expect(model.graph.values.get('w')?.tensor?.dataType).toBe(DataType.FLOAT);
  });

  it('puts one Cast for all uses that want the other type', async () => {
    const model = await expectSame(
      `${header()}
      net (float[2,2] x) => (float[2,2] y) <float[2,2] w = {1,2,3,4}> {
        m = MatMul (x, w)
        a = Sigmoid (m)
        b = Tanh (m)
        c = Neg (m)
        d = Sum (a, b, c)
        y = MatMul (d, w)
      }`,
      { exclude: ['Sigmoid', 'Tanh'] },
    );
    expect(operators(model).filter((op) => op === 'Cast float')).toHaveLength(2);
  });

  it('converts both branches of If and what they take from outside', async () => {
    const text = `${header()}
      net (bool c, float[2,2] x) => (float[2,2] y) <float[2,2] w = {1,2,3,4}> {
        m = MatMul (x, w)
        z = If (c) <then_branch = t () => (float[2,2] a) { a = MatMul (m, w) },
                    else_branch = e () => (float[2,2] b) { r = Sqrt (w) b = Identity (r) }>
        y = Relu (z)
      }`;
    for (const c of [0, 1]) {
      const given = new Map([['c', [c]]]);
      const expected = await runModel(parseModel(text), given);
      const model = parseModel(text);
      await convert(model);
      expect(typeOf(model, 'z')).toBe('float16[2,2]');
      const found = await runModel(model, given);
      found[0]?.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[0]?.[i] ?? Number.NaN, 1);
      });
    }
  });

  it('carries the state of a Loop and what it collects in float16', async () => {
    const model = await expectSame(`${header()}
      net (float[2] x) => (float[2] last, float[3,2] all) <int64 trips = {3}, bool go = {1}, float[2] w = {0.5,0.25}> {
        last, all = Loop (trips, go, x) <body = b (int64 i, bool in, float[2] s) => (bool out, float[2] next, float[2] seen) {
          out = Identity (in)
          next = Mul (s, w)
          seen = Add (next, w)
        }>
      }`);
    expect([typeOf(model, 's'), typeOf(model, 'seen')]).toEqual(['float16[2]', 'float16[2]']);
    expect([typeOf(model, 'last'), typeOf(model, 'all')]).toEqual(['float[2]', 'float[3,2]']);
  });

  it('keeps a layer normalization made of single operators in float32, whose squares overflow', async () => {
    const text = `${header()}
      net (float[2,4] x) => (float[2,4] y) <float[4,4] w = {900,1,2,3,4,800,6,7,8,9,700,1,2,3,4,500},
          float two = {2}, float eps = {1e-12}> {
        h = MatMul (x, w)
        m = ReduceMean <axes = [-1]> (h)
        d = Sub (h, m)
        p = Pow (d, two)
        v = ReduceMean <axes = [-1]> (p)
        e = Add (v, eps)
        s = Sqrt (e)
        n = Div (d, s)
        y = MatMul (n, w)
      }`;
    const model = await expectSame(text);
    for (const name of ['p', 'v', 'e', 's']) expect(typeOf(model, name)).toMatch(/^float\[/);
    for (const name of ['h', 'd']) expect(typeOf(model, name)).toMatch(/^float16/);
  });

  it('keeps an epsilon under a division, and arithmetic on sizes, in float32', async () => {
    const model = await expectSame(`${header()}
      net (float[2,4] x) => (float[2,4] y) <float[4,4] w = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7}, float eps = {1e-9}, float big = {1000}> {
        h = MatMul (x, w)
        a = Abs (h)
        e = Max (a, eps)
        q = Div (h, e)
        s = Shape (q)
        f = Cast <to = 1> (s)
        t = Mul (f, big)
        u = Div (t, big)
        i = Cast <to = 7> (u)
        y = Reshape (q, i)
      }`);
    for (const name of ['e', 'f', 't', 'u']) expect(typeOf(model, name)).toMatch(/^float(\[|$)/);
    expect(typeOf(model, 'h')).toBe('float16[2,4]');
  });

  it('leaves quantized operators as they are, so that ONNX Runtime can still fuse them', async () => {
    const model = parseModel(`${header()}
      net (float[2,4] x) => (float[2,2] y) <float s = {0.1}, uint8 z = {128}, float[4,2] w = {1,2,3,4,5,6,7,8}> {
        q = QuantizeLinear (x, s, z)
        d = DequantizeLinear (q, s, z)
        r = Relu (d)
        y = MatMul (r, w)
      }`);
    await convert(model);
    expect(operators(model)).toEqual([
      'QuantizeLinear',
      'DequantizeLinear',
      'Relu',
      'Cast float16',
      'MatMul',
      'Cast float',
    ]);
  });

  it('clamps a mask of -3.4e38, keeps small constants from zero, and reports both by name', async () => {
    const report = newFloat16Report();
    const model = parseModel(`${header()}
      net (bool[2] c, float[2] x) => (float[2] y) <float mask = {-3.4028234e38}, float tiny = {1e-10}> {
        w = Where (c, x, mask)
        t = Add (w, tiny)
        y = Softmax (t)
      }`);
    const step = await convert(model, { report });
    expect(halves(model, 'mask')).toEqual([-65504]);
    expect(halves(model, 'tiny')[0]).toBe(2 ** -24);
    expect(step.notes).toContain('1 value of "mask" clamped to ±65504');
    expect(float16Totals(report)).toEqual({ elements: 2, overflowed: 1, underflowed: 1 });
  });

  it('tells about large tensors once they are written', async () => {
    const report = newFloat16Report();
    const model = parseModel(
      MLP.replace('float[3,2] w = {1,2,3,4,5,6}, ', 'float[3,2] w = {1,2,3,4,5,6}, float[1] big = {0}, '),
    );
    const values = Float32Array.from({ length: 1 << 16 }, (_, i) => (i === 5 ? 1e6 : i));
    const big = model.graph.values.get('big') ?? expect.fail('no big');
    big.tensor = Tensor.float32(values, [1, 1 << 16]);
    big.type = { kind: 'tensor', dataType: DataType.FLOAT, shape: [1, 1 << 16] };
    model.graph.addNode({ opType: 'Relu', inputs: [big], outputs: [{ name: 'unused' }] });
    await convert(model, { report });
    expect(describeFloat16Report(report, FLOAT16)).toEqual([]);
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
    try {
      await writeModel(model, join(folder, 'model.onnx'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect(describeFloat16Report(report, FLOAT16)).toEqual(['17 values of "big" clamped to ±65504']);
  });

  it('keeps what leaves the range in measured data in float32', async () => {
    const ranges = new Map([['m', { min: -10, max: 1e5 }]]);
    const model = parseModel(MLP);
    const step = await convert(model, { ranges });
    expect(step.refusals.map((refusal) => refusal.opType)).toEqual(['MatMul', 'Add']);
    expect(operators(model)).toEqual(['MatMul', 'Add', 'Cast float16', 'Relu', 'Cast float']);
  });

  it('lets a mask reach beyond the range, whose fill is clamped', async () => {
    const ranges = new Map([
      ['m', { min: -3.4e38, max: 0 }],
      ['s', { min: -3.4e38, max: 12 }],
    ]);
    const model = parseModel(`${header()}
      net (bool[2,2] c, float[2,2] x) => (float[2,2] y) <float[2,2] w = {1,2,3,4}, float z = {0}, float fill = {-3.4e38}> {
        a = MatMul (x, w)
        m = Where (c, z, fill)
        s = Add (a, m)
        y = Softmax (s)
      }`);
    const step = await convert(model, { ranges });
    expect(step.refusals).toEqual([]);
  });

  it('keeps scales and parameters that float16 does not hold', async () => {
    const text = (op: string, value: string) => `${header()}
      net (float[2] x) => (float[2] y) <float k = {${value}}, float[2] w = {1,2}> {
        a = Mul (x, w)
        b = ${op} (a, k)
        y = Mul (b, w)
      }`;
    const reasons = async (op: string, value: string) =>
      (await convert(parseModel(text(op, value)))).refusals.map(({ opType, reason }) => `${opType}: ${reason}`);
    expect(await reasons('Mul', '1e-8')).toEqual(['Mul: its scale 1.0e-8 is too small for float16']);
    expect(await reasons('Div', '2e6')).toEqual(['Div: its constant "k" reaches 2.0e+6: the largest float16 is 65504']);
    expect(await reasons('Sub', '80000')).toEqual([
      'Sub: its constant "k" reaches 80000: the largest float16 is 65504',
    ]);
    expect(await reasons('Add', '1e-8')).toEqual([]);
    expect(await reasons('Mul', '0.001')).toEqual([]);
  });

  it('keeps counts beyond 2048 where they were measured', async () => {
    const model = parseModel(`${header()}
      net (int64[2] n, float[2] x) => (float[2] y) <float[2] w = {1,2}> {
        f = Cast <to = 1> (n)
        d = Sub (x, f)
        y = Mul (d, w)
      }`);
    const step = await convert(model, { ranges: new Map([['f', { min: 0, max: 5000 }]]) });
    expect(step.refusals.map(({ opType }) => opType)).toEqual(['Cast', 'Sub']);
    expect(step.notes[1]).toBe(
      'stays FLOAT: "f", "d": "f" has integer values from 0 to 5000: float16 is exact for integers up to 2048 only',
    );
  });

  it('calls local functions with the types their bodies have', async () => {
    const model = await expectSame(`<ir_version: 8, opset_import: ["": 17, "own": 1]>
      net (float[2,2] x) => (float[2,2] y) <float[2,2] w = {1,2,3,4}> {
        m = MatMul (x, w)
        t = own.twice (m)
        y = MatMul (t, w)
      }
      <domain: "own", opset_import: ["": 17]> twice (a) => (b) { b = Add (a, a) }`);
    expect(operators(model).filter((op) => op.startsWith('Cast'))).toHaveLength(4);
  });

  it('rejects a pattern that means no node', async () => {
    await expect(convert(parseModel(MLP), { exclude: ['Gem'] })).rejects.toMatchObject({ code: 'SO1003' });
  });
});
