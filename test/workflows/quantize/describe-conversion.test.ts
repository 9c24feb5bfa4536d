/** What a quantization and an inspection say is what was done, and why. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { inspectModel } from '../../../src/workflows/inspect-model.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

const numbers = (count: number, scale = 1): string =>
  Array.from({ length: count }, (_, i) => scale * Math.sin(i * i + i + 1)).join(', ');

async function modelFile(name: string, text: string): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeModel(parseModel(text), path);
  return path;
}

/** Samples of one input as JSON lines. */
function samples(name: string, shape: readonly number[], value: (index: number) => number): string {
  const path = join(folder, `${name}.jsonl`);
  const fill = (dims: readonly number[], at: { i: number }): unknown =>
    dims.length === 0 ? value(at.i++) : Array.from({ length: dims[0] as number }, () => fill(dims.slice(1), at));
  writeFileSync(
    path,
    Array.from({ length: 24 }, (_, i) => JSON.stringify({ x: fill(shape, { i: i * 7 }) })).join('\n'),
  );
  return path;
}

const output = (name: string): string => join(folder, `${name}.out.onnx`);

describe('quantizeModel', () => {
  it('inlines local functions that hold layers, and tells them as layers', async () => {
    const path = await modelFile(
      'functions',
      `<ir_version: 8, opset_import: ["": 17, "pkg": 1]>
      g (float[n,64] x) => (float[n,64] y) <float[64,64] w = {${numbers(4096)}}, float[64] b = {${numbers(64)}}>
      { h = pkg.Linear (x, w, b) r = Relu (h) y = pkg.Linear (r, w, b) }
      <domain: "pkg", opset_import: ["": 17]> Linear (a, w, b) => (o) { m = MatMul (a, w) o = Add (m, b) }`,
    );
    const report = await quantizeModel(path, { outputPath: output('functions'), verify: false });
    expect(report.mode).toBe('dynamic');
    expect(report.quantized.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul']);
    const inspected = await inspectModel(path);
    expect(inspected.quantizableWithoutData?.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul']);
    const left = await quantizeModel(path, { outputPath: output('functions2'), verify: false, optimize: false });
    expect(left.leftInFloat[0]?.reason).toBe('it is inside a local function that was not inlined');
    const half = await quantizeModel(path, { outputPath: output('functions3'), verify: false, mode: 'fp16' });
    expect(half.quantized.map(({ opType }) => opType)).toEqual(['MatMul', 'MatMul']);
  });

  it('names no working copy when ONNX Runtime refuses a model while ranges are measured', async () => {
    const path = await modelFile(
      'refused',
      `<ir_version: 8, opset_import: ["": 17, "pkg": 1]>
      g (float[n,8] x) => (float[n,1] y) <float[8,8] w = {${numbers(64)}}>
      { h = MatMul (x, w) y = pkg.Sum (h) }
      <domain: "pkg", opset_import: ["": 11]> Sum (a) => (o) { o = ReduceSum <axes = [1]> (a) }`,
    );
    const dataPath = samples('refused', [8], (i) => Math.sin(i));
    const error: unknown = await quantizeModel(path, { dataPath, outputPath: output('refused') }).catch((e) => e);
    expect(error).toMatchObject({ code: 'SO3004' });
    expect(error).toHaveProperty('location', {});
  });

  it('tells what static quantization said of a layer where none was quantized', async () => {
    const path = await modelFile(
      'zero',
      `${HEAD} g (float[n,8] x) => (float[n,8] y) <float[8,8] w = {${numbers(64)}}> { y = MatMul (x, w) }`,
    );
    const dataPath = samples('zero', [8], () => 0);
    const { leftInFloat } = await quantizeModel(path, { dataPath, outputPath: output('zero'), verify: false });
    expect(leftInFloat[0]?.reason).toBe('"x" was 0 in all samples: its range is unknown');
  });

  it('says that a weight is an overridable input, and fixes it where asked', async () => {
    const path = await modelFile(
      'overridable',
      `${HEAD} g (float[n,3,8,8] x, float[8,3,3,3] w, float[1,8,3,3] v) => (float[n,1,4,4] y)
      <float[8,3,3,3] w = {${numbers(216)}}, float[1,8,3,3] v = {${numbers(72)}}> { c = Conv (x, w) y = Conv (c, v) }`,
    );
    const dataPath = samples('overridable', [3, 8, 8], (i) => Math.sin(i));
    const left = await quantizeModel(path, { dataPath, outputPath: output('left'), verify: false });
    expect(left.mode).toBe('none');
    expect(left.leftInFloat.map(({ reason }) => reason)).toEqual(
      ['w', 'v'].map(
        (name) =>
          `its weight "${name}" is an input with a default, which callers may override: --fix-initializers makes it a constant`,
      ),
    );
    const fixed = await quantizeModel(path, {
      dataPath,
      outputPath: output('fixed'),
      verify: false,
      fixInitializers: true,
      maxGrowth: 'none',
    });
    expect(fixed.mode).toBe('static');
    expect(fixed.quantized.length).toBe(2);
  });

  it('tells of the file that was written where nothing was done, and first what would help', async () => {
    const path = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'kws-dscnn', 'model.onnx');
    const report = await quantizeModel(path, { outputPath: output('kws'), mode: 'dynamic', verify: false });
    expect(report).toMatchObject({ mode: 'none', steps: [], quantized: [] });
    expect(report.headline).toMatch(/^Nothing was gained: without samples 9 convolutions .* --data, .* --mode fp16\.$/);
    expect(report.leftInFloat[0]?.reason).toContain('give calibration data');
  });

  it('hands over the model as it was where INT8 would make the file larger, unless growth is allowed', async () => {
    const layers = Array.from({ length: 6 }, (_, i) => `a${i + 1} = Conv (a${i}, w${i})`).join(' ');
    const weights = Array.from({ length: 6 }, (_, i) => `float[2,2,1,1] w${i} = {1, ${i}, -0.5, 0.25}`).join(', ');
    const path = await modelFile(
      'small',
      `${HEAD} g (float[n,2,4,4] a0) => (float[n,2,4,4] a6) <${weights}> { ${layers} }`,
    );
    const dataPath = join(folder, 'small.jsonl');
    writeFileSync(
      dataPath,
      readFileSync(
        samples('x', [2, 4, 4], (i) => Math.sin(i)),
        'utf8',
      ).replaceAll('"x"', '"a0"'),
    );
    const report = await quantizeModel(path, { dataPath, outputPath: output('small'), verify: false });
    expect(report.mode).toBe('none');
    expect(report.notes.join(' ')).toContain('The result would be larger than the model');
    expect(statSync(output('small')).size).toBe(statSync(path).size);
    const grown = await quantizeModel(path, {
      dataPath,
      outputPath: output('grown'),
      verify: false,
      maxGrowth: 'none',
    });
    expect(grown.mode).toBe('static');
  });

  it.each(['static', 'dynamic'] as const)('does not let a tiny model grow by a byte in mode %s', async (mode) => {
    const path = await modelFile(
      `tiny-${mode}`,
      `${HEAD} g (float[n,4] x) => (float[n,4] y) <float[4,4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2}> { y = MatMul (x, w) }`,
    );
    const data = mode === 'static' ? { dataPath: samples('x', [4], (i) => Math.sin(i)) } : {};
    const options = { mode, ...data, outputPath: output(`tiny-${mode}`), verify: false };
    expect((await quantizeModel(path, options)).mode).toBe('none');
    expect(readFileSync(output(`tiny-${mode}`))).toEqual(readFileSync(path));
  });

  it('keeps constants of the size of a picture out of a half-precision model', async () => {
    const path = await modelFile(
      'variance',
      `${HEAD} g (float[n,3,64,64] x) => (float[n,8,64,64] y) <float e = {0.000001}, float[8,3,1,1] w = {${numbers(24)}}> {
        m = ReduceMean <axes: ints = [1, 2, 3], keepdims: int = 1> (x)
        d = Sub (x, m)
        q = Mul (d, d)
        v = ReduceMean <axes: ints = [1, 2, 3], keepdims: int = 1> (q)
        s = Add (v, e)
        r = Sqrt (s)
        z = Div (d, r)
        y = Conv (z, w)
      }`,
    );
    const report = await quantizeModel(path, { mode: 'fp16', outputPath: output('variance'), verify: false });
    expect(report.mode).toBe('fp16');
    expect(report.output.sizeBytes).toBeLessThan(report.input.sizeBytes + 1000);
  });
});

describe('samples that were not prepared', () => {
  const conv = (name: string, nodes: string, scale = 1) =>
    modelFile(
      name,
      `${HEAD} g (float[n,3,8,8] x) => (float[n,8,6,6] y)
      <float[8,3,3,3] w = {${numbers(216, scale)}}, float k = {255}> { ${nodes} }`,
    );
  const bytes = (i: number) => (i * 37) % 256;
  const warned = async (path: string, dataPath: string): Promise<boolean> => {
    const { warnings } = await quantizeModel(path, {
      dataPath,
      outputPath: output('bytes'),
      verify: false,
      force: true,
    });
    return warnings.some((warning) => warning.includes('probably not normalised'));
  };

  it('are told where bytes meet a layer that expects less', async () => {
    const path = await conv('plain', 'y = Conv (x, w)');
    expect(await warned(path, samples('bytes', [3, 8, 8], bytes))).toBe(true);
    expect(
      await warned(
        path,
        samples('unit', [3, 8, 8], (i) => bytes(i) / 255),
      ),
    ).toBe(false);
  });

  it('are no bytes where the model divides them, or has weights for them', async () => {
    const data = samples('bytes', [3, 8, 8], bytes);
    expect(await warned(await conv('divides', 'd = Div (x, k) y = Conv (d, w)'), data)).toBe(false);
    expect(await warned(await conv('folded', 'y = Conv (x, w)', 1 / 255), data)).toBe(false);
    expect(
      await warned(await conv('moved', 't = Transpose <perm: ints = [0, 1, 3, 2]> (x) y = Conv (t, w)'), data),
    ).toBe(true);
  });

  it('are told where evaluation data has another scale', async () => {
    const path = await conv('other', 'd = Div (x, k) y = Conv (d, w)');
    const { warnings } = await quantizeModel(path, {
      dataPath: samples('bytes', [3, 8, 8], bytes),
      evalPath: labelled(samples('unit', [3, 8, 8], (i) => bytes(i) / 255)),
      outputPath: output('other'),
      force: true,
    });
    expect(warnings.join(' ')).toContain('prepare both in the same way');
  });
});

/** The same samples with labels for a map of [8, 6, 6]. */
function labelled(path: string): string {
  const lines = readFileSync(path, 'utf8').split('\n');
  const labels = Array.from({ length: 8 }, () => Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => 0.5)));
  writeFileSync(path, lines.map((line) => JSON.stringify({ ...JSON.parse(line), label: labels })).join('\n'));
  return path;
}
