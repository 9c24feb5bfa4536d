import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/ir/read-model.js';
import { parseModel } from '../../../../src/ir/text/parse-model.js';
import { allNodes } from '../../../../src/ir/walk.js';
import { writeModel } from '../../../../src/ir/write-model.js';
import type { QuantizeReport } from '../../../../src/report/types.js';
import { createRandom } from '../../../../src/tensor/random.js';
import type { QuantizeOptions } from '../../../../src/workflows/options.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { float32 } from '../../../helpers/npy.js';
import { npz } from '../../../helpers/zip.js';

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Seeded normal numbers, for a constant of a text. */
function numbers(size: number, scale: number, seed = 1): string {
  const random = createRandom(seed, size);
  return Array.from({ length: size }, () => (scale * random.normal()).toPrecision(5)).join(', ');
}

/** Samples of an input `x`: rows of `width` numbers, with a scale for each column. */
function samples(width: number, scales: readonly number[]): string {
  const random = createRandom(5, width);
  const rows = 32;
  const values = Array.from({ length: rows * width }, (_, i) => (scales[i % scales.length] ?? 1) * random.normal());
  const path = join(folder, `${count++}.npz`);
  writeFileSync(path, npz({ x: float32([rows, width], values) }));
  return path;
}

interface Half {
  readonly report: QuantizeReport;
  /** Worst signal-to-noise ratio in emulated half precision. */
  readonly sqnrDb: number;
  readonly outputPath: string;
}

async function half(text: string, dataPath?: string, options: QuantizeOptions = {}): Promise<Half> {
  const path = join(folder, `${count++}.onnx`);
  const outputPath = join(folder, `${count++}.fp16.onnx`);
  await writeModel(parseModel(`<ir_version: 8, opset_import: ["": 17]> ${text}`), path);
  const given = { ...options, ...(dataPath ? { dataPath } : {}) };
  const report = await quantizeModel(path, { mode: 'fp16', outputPath, ...given });
  if (options.verify ?? true)
    expect(report.verification).toMatchObject({ runs: 'passed', arithmetic: 'emulated half precision' });
  const outputs = report.verification.comparison?.outputs ?? [];
  for (const { nonFinite } of outputs) expect(nonFinite).toEqual({ a: 0, b: 0, lost: 0 });
  return { report, outputPath, sqnrDb: Math.min(...outputs.map(({ sqnrDb }) => sqnrDb ?? Number.POSITIVE_INFINITY)) };
}

const notes = ({ report }: Half): string =>
  [...report.notes, ...report.leftInFloat.map(({ reason }) => reason)].join('\n');

describe('values that leave the range of FLOAT16', () => {
  const GATED = `g (float[n,16] x) => (float[n,4] y) <float[16,16] w = {${numbers(256, 60)}},
      float[16,16] u = {${numbers(256, 60, 2)}}, float[16,4] v = {${numbers(64, 1e-4, 3)}}> {
    a = MatMul (x, w) b = MatMul (x, u) s = Sigmoid (a) g0 = Mul (a, s) h = Mul (g0, b) y = MatMul (h, v) }`;

  it('keeps them in FLOAT, without data and with', async () => {
    const synthetic = await half(GATED);
    expect(synthetic.sqnrDb).toBeGreaterThan(40);
    expect(synthetic.report.calibration?.source).toBe('synthetic inputs (seed 0)');
    expect(notes(synthetic)).toMatch(/"h" was measured from -\d\S* to \d\S*: the largest float16 is 65504/);
    const real = await half(GATED, samples(16, [0.5, 2]));
    expect(real.sqnrDb).toBeGreaterThan(40);
    expect(real.report.calibration).toMatchObject({ samples: 26 });
  });

  it('finds them where nothing is measured: in the body of a Loop', async () => {
    const loop = await half(`g (float[4,4] x, int64 trips) => (float[4,4] y) <bool go = {1}, float k = {300},
        float d = {40000}, float[4,4] w = {${numbers(16, 1)}}> {
      l = Loop (trips, go, x) <body = b (int64 i, bool in, float[4,4] s) => (bool out, float[4,4] next) {
        out = Identity (in) big = Mul (s, k) bigger = Mul (big, k) next = Div (bigger, d) }>
      y = MatMul (l, w) }`);
    expect(loop.sqnrDb).toBeGreaterThan(40);
  });

  it('keeps inputs that leave it, and what normalizes them', async () => {
    const scales = [80_000, 2_000_000, 0.5, 40];
    const normalized = await half(
      `g (float[n,4] x) => (float[n,3] y) <float[4] one = {1,1,1,1}, float[4] zero = {0,0,0,0},
          float[4] m = {80000,1000000,0.5,40}, float[4] v = {9e8,2.5e11,0.01,144}, float[4,3] w = {${numbers(12, 1)}}> {
        z = BatchNormalization (x, one, zero, m, v) r = Relu (z) y = MatMul (r, w) }`,
      samples(4, scales),
    );
    expect(normalized.sqnrDb).toBeGreaterThan(40);
    const divided = await half(
      `g (float[n,4] x) => (float[n,3] y) <float[4] s = {80000,2000000,0.5,40}, float[4,3] w = {${numbers(12, 1)}}> {
        z = Div (x, s) r = Tanh (z) y = MatMul (r, w) }`,
      samples(4, scales),
    );
    expect(divided.sqnrDb).toBeGreaterThan(40);
  });
});

describe('options of FLOAT16', () => {
  const SMALL = `g (float[n,4] x) => (float[n,4] y) <float[4,4] w = {${numbers(16, 1)}}, float k = {1e5}> {
    h = MatMul (x, w) y = Mul (h, k) }`;

  it('compares a model whose inputs and outputs are FLOAT16 too', async () => {
    const linear = SMALL.replace('1e5', '3');
    const { sqnrDb } = await half(linear, undefined, { fp16Io: true });
    expect(sqnrDb).toBeGreaterThan(55);
  });

  it('measures ranges on data even where the result does not run, and says so where it cannot', async () => {
    const data = samples(4, [1000, 40_000]);
    const measured = await half(SMALL.replace('1e5', '0.5'), data, { verify: false });
    expect(notes(measured)).toContain('was measured from');
    expect(measured.report.warnings.join()).not.toContain('no effect');
    const blind = await half(SMALL, undefined, { verify: false });
    expect(blind.report.warnings.join()).toContain(
      'Activation ranges were not measured: running the model was switched off.',
    );
  });
});

describe('layers that lose more than rounding', () => {
  it('keeps a power under a logarithm, and names it with its range', async () => {
    const mel =
      await half(`g (float[n,16] x) => (float[n,8] y) <float[16,8] w = {${numbers(128, 1e-3)}}, float low = {1e-10}> {
      f = MatMul (x, w) p = Mul (f, f) c = Max (p, low) y = Log (c) }`);
    expect(mel.sqnrDb).toBeGreaterThan(40);
    expect(notes(mel)).toMatch(/"p" \(from \S+ to \S+\) loses more than rounding/);
  });

  it('keeps a difference of two large numbers', async () => {
    const difference =
      await half(`g (float[n,8] x) => (float[n,8] y) <float k = {1000}, float[8,8] w = {${numbers(64, 1)}}> {
      h = MatMul (x, w) a = Add (h, k) t = Tanh (h) b = Add (a, t) y = Sub (b, k) }`);
    expect(difference.sqnrDb).toBeGreaterThan(40);
    expect(notes(difference)).toContain('loses more than rounding');
  });

  it('is not taken from random numbers', async () => {
    const { report } = await half(`g (float[n,4] x) => (float[n,4] y) <float[4,4] w = {${numbers(16, 1)}}> {
      h = MatMul (x, w) r = RandomNormalLike (x) y = Add (h, r) }`);
    expect(report.warnings.filter((warning) => !warning.startsWith('ONNX Runtime'))).toEqual([
      'Output "y" depends on random numbers: differences in its values are meaningless.',
    ]);
    expect(report.notes.join()).not.toContain('loses more than rounding');
  });

  it('keeps tiny gradients that are scaled up again', async () => {
    const tiny = await half(`g (float[n,8] x) => (float[n,8] y) <float[8,8] w = {${numbers(64, 1e-3)}},
        float[8,8] u = {${numbers(64, 1e-4, 4)}}, float k = {30000}> {
      h = MatMul (x, w) g0 = MatMul (h, u) q = Mul (g0, k) y = Mul (q, k) }`);
    expect(tiny.sqnrDb).toBeGreaterThan(40);
  });
});

describe('models that ONNX Runtime dies of in FLOAT16', () => {
  it.each([
    ['Add', 's,b'],
    ['Sub', '4,5'],
  ])('keeps a Transpose before MatMul and %s in FLOAT', async (op, dims) => {
    const outer = dims.split(',');
    const found = await half(`g (float[${dims},32] x) => (float[${outer[1]},${outer[0]},8] y)
        <float[32,8] w = {${numbers(256, 0.2)}}, float[8] b0 = {${numbers(8, 1)}}> {
      t = Transpose <perm = [1,0,2]> (x) m = MatMul (t, w) y = ${op} (m, b0) }`);
    expect(found.sqnrDb).toBeGreaterThan(40);
    const model = await readModel(found.outputPath);
    expect([...allNodes(model)].map((node) => node.opType)).toEqual(['Transpose', 'Cast', 'MatMul', op, 'Cast']);
    model.source?.close();
  });

  it('does so after an operator that it has in FLOAT only', async () => {
    const found = await half(`g (float[s,b,4] x) => (float[b,s,3] y) <float[1,24,4] w = {${numbers(96, 0.3)}},
        float[1,24,8] r = {${numbers(192, 0.3, 2)}}, int64[1] one = {1}, float[8,3] v = {${numbers(24, 0.4, 3)}}, float[3] c = {1,2,3}> {
      g0, h = GRU <hidden_size = 8, linear_before_reset = 1> (x, w, r)
      q = Squeeze (g0, one) t = Transpose <perm = [1,0,2]> (q) m = MatMul (t, v) y = Add (m, c) }`);
    expect(found.sqnrDb).toBeGreaterThan(40);
  });
});

describe('the size of a FLOAT16 model', () => {
  it('gets no constant of the size of a picture', async () => {
    const { report } =
      await half(`g (float[n,3,64,64] x) => (float[n,2,64,64] y) <float e = {1e-6}, float[2,3,1,1] w = {${numbers(6, 1)}}> {
      m = ReduceMean <axes = [1,2,3], keepdims = 1> (x) d = Sub (x, m) q = Mul (d, d)
      v = ReduceMean <axes = [1,2,3], keepdims = 1> (q) p = Add (v, e) s = Sqrt (p) z = Div (d, s) y = Conv (z, w) }`);
    expect(report.output.sizeBytes).toBeLessThan(2000);
  });
});
