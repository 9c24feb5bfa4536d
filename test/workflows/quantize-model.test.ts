import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { allNodes } from '../../src/ir/walk.js';
import { writeModel } from '../../src/ir/write-model.js';
import type { QuantizeReport } from '../../src/report/types.js';
import type { QuantizeOptions } from '../../src/workflows/options.js';
import { reportPath } from '../../src/workflows/produce/report-path.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fixture = (name: string, file = 'model.onnx'): string => join(FIXTURES, name, file);

/** A path in a folder of its own. */
function fresh(name: string): string {
  const place = mkdtempSync(join(folder, 'out-'));
  mkdirSync(place, { recursive: true });
  return join(place, name);
}

function metric(report: QuantizeReport): { a: number; b: number } {
  const [first] = report.accuracy?.metrics ?? [];
  return { a: first?.a.value ?? Number.NaN, b: first?.b.value ?? Number.NaN };
}

async function failure(call: Promise<unknown>): Promise<ServeOptError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ServeOptError);
  return error as ServeOptError;
}

async function opTypes(path: string): Promise<Set<string>> {
  const model = await readModel(path);
  const types = new Set([...allNodes(model)].map((node) => node.opType));
  model.source?.close();
  return types;
}

describe('quantizeModel with calibration data', () => {
  it.each([
    ['kws-dscnn', 0.02],
    ['digits-mlp', 0.01],
    ['ppocr-cls-mobile', 0.03],
  ])('takes %s to static INT8 and keeps its accuracy', async (name, loss) => {
    const outputPath = fresh('out.onnx');
    const report = await quantizeModel(fixture(name), {
      dataPath: fixture(name, 'calib.npz'),
      evalPath: fixture(name, 'eval.npz'),
      outputPath,
      allowSlower: true,
    });
    expect(report.mode).toBe('static');
    expect(report.quantized.length).toBeGreaterThan(0);
    expect(report.verification).toMatchObject({ structure: 'passed', loads: 'passed', runs: 'passed' });
    const { a, b } = metric(report);
    expect(b).toBeGreaterThanOrEqual(a - loss);
    expect(report.output.sizeBytes).toBeLessThan(report.input.sizeBytes);
    expect(await opTypes(outputPath)).toContain('DequantizeLinear');
  });

  it('quantizes convolutions in the branch of an If that the samples take, and says why the other stays', async () => {
    const report = await quantizeModel(fixture('silero-vad'), {
      dataPath: fixture('silero-vad', 'calib.npz'),
      evalPath: fixture('silero-vad', 'eval.npz'),
      outputPath: fresh('out.onnx'),
      allowSlower: true,
      // Whatever outputs lose: which layers that would keep depends on the machine.
      effort: 'low',
    });
    expect(report.mode).toBe('static');
    expect(report.quantized.filter(({ opType }) => opType === 'Conv').length).toBeGreaterThan(3);
    expect(report.leftInFloat.some(({ reason }) => reason.includes('no range was observed'))).toBe(true);
    const { a, b } = metric(report);
    expect(b).toBeGreaterThanOrEqual(a - 0.02);
  });

  it('gives the same bytes twice, and a report without paths', async () => {
    const options: QuantizeOptions = { dataPath: fixture('digits-mlp', 'calib.npz'), samples: 30, allowSlower: true };
    const [one, two] = [fresh('a.onnx'), fresh('a.onnx')];
    await quantizeModel(fixture('digits-mlp'), { ...options, outputPath: one });
    await quantizeModel(fixture('digits-mlp'), { ...options, outputPath: two });
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    const text = readFileSync(reportPath(one), 'utf8');
    expect(text).not.toContain(folder);
    expect(text).not.toContain(FIXTURES);
    expect(JSON.parse(text)).toMatchObject({ schemaVersion: 2, command: 'quantize', mode: 'static' });
  });

  it('counts as quantized only what the result no longer reads in float', async () => {
    const path = fresh('lookup.onnx');
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 5).join(', ');
    await writeModel(
      parseModel(`<ir_version: 8, opset_import: ["" : 17]>
        g (int64[N, 3] ids) => (float[N, 3, 32] y)
        <float[50, 32] table = {${numbers(1600)}}, float[32, 32] w = {${numbers(1024)}}> {
          [look] x = Gather (table, ids)
          [multiply] y = MatMul (x, w)
        }`),
      path,
    );
    const samples = join(path, '..', 'samples.jsonl');
    writeFileSync(samples, Array.from({ length: 30 }, (_, i) => JSON.stringify({ ids: [i, i + 1, i + 2] })).join('\n'));
    const report = await quantizeModel(path, { dataPath: samples, outputPath: fresh('out.onnx'), allowSlower: true });
    expect(report.mode).toBe('static');
    expect(report.quantized.map(({ name }) => name)).toEqual(['multiply']);
    expect(report.leftInFloat.map(({ name }) => name)).toEqual(['look']);
  });

  it('holds samples out for the comparison', async () => {
    const report = await quantizeModel(fixture('digits-mlp'), {
      dataPath: fixture('digits-mlp', 'calib.npz'),
      samples: 50,
      outputPath: fresh('out.onnx'),
      allowSlower: true,
    });
    expect(report.calibration).toMatchObject({ samples: 50, method: 'min-max' });
    expect(report.verification.comparison).toMatchObject({ source: { kind: 'data', first: 50 }, samples: 128 });
  });
});

describe('quantizeModel without data', () => {
  it('quantizes MatMul dynamically and says why the rest stays in float', async () => {
    const outputPath = fresh('out.onnx');
    const report = await quantizeModel(fixture('digits-mlp'), { outputPath, allowSlower: true });
    expect(report.mode).toBe('dynamic');
    expect(report.quantized.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul']);
    expect(report.leftInFloat[0]?.reason).toContain('640 weights');
    expect(await opTypes(outputPath)).toContain('MatMulInteger');
  });

  it('hands over the model as it was when nothing can be quantized', async () => {
    const outputPath = fresh('out.onnx');
    const report = await quantizeModel(fixture('kws-dscnn'), { outputPath });
    expect(report.mode).toBe('none');
    expect(report.notes.join(' ')).toContain('Nothing was quantized');
    expect(readFileSync(outputPath).equals(readFileSync(fixture('kws-dscnn')))).toBe(true);
  });

  it.each(['kws-dscnn', 'digits-mlp', 'ppocr-cls-mobile', 'silero-vad'])(
    'converts %s to FLOAT16 and loses at most one sample',
    async (name) => {
      const report = await quantizeModel(fixture(name), {
        mode: 'fp16',
        evalPath: fixture(name, 'eval.npz'),
        outputPath: fresh('out.onnx'),
      });
      expect(report.mode).toBe('fp16');
      const { a, b } = metric(report);
      // The slices are small: one sample of 80 is more than 0.002.
      expect(Math.abs(a - b)).toBeLessThanOrEqual(1 / (report.accuracy?.samples ?? 1) + 1e-9);
    },
  );

  it('keeps in FLOAT what was seen to exceed the range of FLOAT16', async () => {
    const path = fresh('overflow.onnx');
    const weights = Array.from({ length: 16 }, (_, i) => (i % 5) - 2).join(', ');
    await writeModel(
      parseModel(`<ir_version: 8, opset_import: ["" : 17]>
        g (float[N, 4] x) => (float[N, 4] y) <float k = {400}, float d = {160000}, float[4, 4] w = {${weights}}> {
          a = Mul (x, k)
          b = Mul (a, k)
          c = Div (b, d)
          y = MatMul (c, w)
        }`),
      path,
    );
    const report = await quantizeModel(path, { mode: 'fp16', outputPath: fresh('out.onnx') });
    const [output] = report.verification.comparison?.outputs ?? [];
    expect(output?.nonFinite).toEqual({ a: 0, b: 0, lost: 0 });
    expect(output?.sqnrDb).toBeGreaterThan(50);
  });
});

describe('quantizeModel that must not go on', () => {
  it('refuses patterns that match nothing, with the nearest name', async () => {
    const outputPath = fresh('out.onnx');
    const error = await failure(quantizeModel(fixture('digits-mlp'), { exclude: ['MatMull'], outputPath }));
    expect(error.code).toBe('SO1003');
    expect(error.hint).toContain('MatMul');
    expect(existsSync(outputPath)).toBe(false);
  });

  it('names both sides when the samples are for another model', async () => {
    const outputPath = fresh('out.onnx');
    const error = await failure(
      quantizeModel(fixture('digits-mlp'), { dataPath: fixture('kws-dscnn', 'calib.npz'), outputPath }),
    );
    expect(error.code).toBe('SO4002');
    expect(`${error.message} ${error.why} ${error.hint}`).toMatch(/X.*mel|mel.*X/s);
    expect(readdirSync(join(outputPath, '..'))).toEqual([]);
  });

  it('refuses samples for another model where nothing is calibrated or judged on them, too', async () => {
    const outputPath = fresh('out.onnx');
    const options: QuantizeOptions = { mode: 'fp16', verify: false, dataPath: fixture('kws-dscnn', 'calib.npz') };
    const error = await failure(quantizeModel(fixture('digits-mlp'), { ...options, outputPath }));
    expect(error.code).toBe('SO4002');
    expect(readdirSync(join(outputPath, '..'))).toEqual([]);
  });

  it('wants samples for static quantization', async () => {
    const error = await failure(
      quantizeModel(fixture('digits-mlp'), { mode: 'static', outputPath: fresh('out.onnx') }),
    );
    expect(error.code).toBe('SO1002');
  });

  it('writes nothing in a dry run', async () => {
    const outputPath = fresh('out.onnx');
    const report = await quantizeModel(fixture('digits-mlp'), { outputPath, dryRun: true });
    expect(report.mode).toBe('dynamic');
    expect(readdirSync(join(outputPath, '..'))).toEqual([]);
  });

  it('stops when aborted, and leaves nothing', async () => {
    const outputPath = fresh('out.onnx');
    const controller = new AbortController();
    const call = quantizeModel(
      fixture('kws-dscnn'),
      { dataPath: fixture('kws-dscnn', 'calib.npz'), outputPath },
      {
        signal: controller.signal,
        onProgress: (event) => {
          if (event.kind === 'advance' && event.stage === 'calibrate') controller.abort();
        },
      },
    );
    expect((await failure(call)).code).toBe('SO8130');
    expect(readdirSync(join(outputPath, '..'))).toEqual([]);
  });
});
