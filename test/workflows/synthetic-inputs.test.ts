/** `--dim`: sizes of synthetic inputs, and what reports say of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { calibrate } from '../../src/workflows/calibrate.js';
import { compare } from '../../src/workflows/compare.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { float32 } from '../helpers/npy.js';
import { npz } from '../helpers/zip.js';

/** Runs at a length of 12 or 24 only: a Reshape to rows of 12. */
const TWELVES = `<ir_version: 8, opset_import: ["" : 17]> g (float[batch, seq, 8] x) => (float[batch, seq, 16] y)
  <float[8, 16] w = {${Array.from({ length: 128 }, (_, i) => (i % 7) - 3).join(', ')}}, int64[3] rows = {-1, 12, 8}>
  { r = Reshape (x, rows) s = Shape (x) b = Reshape (r, s) a = Identity (b) y = MatMul (a, w) }`;

let folder = '';
const at = (name: string): string => join(folder, name);
const dims = new Map([
  ['batch', 1],
  ['seq', 24],
]);
const SIZES = [
  { name: 'batch', sizes: [1] },
  { name: 'seq', sizes: [24] },
];
const NOTE = 'synthetic inputs: batch=1, seq=24';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'synthetic-inputs-'));
  await writeModel(parseModel(TWELVES), at('model.onnx'));
  const rows = (count: number, length: number): Uint8Array =>
    float32(
      [count, length, 8],
      Array.from({ length: count * length * 8 }, (_, i) => Math.sin(i)),
    );
  writeFileSync(at('twelves.npz'), npz({ x: rows(3, 12) }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sizes of synthetic inputs', () => {
  it('are those asked for in compare, which says so', async () => {
    const source = { kind: 'seeded', seed: 4, count: 3, dims } as const;
    const report = await compare(at('model.onnx'), at('model.onnx'), source, { latency: false });
    expect(report.comparison.samples).toBe(3);
    expect(report.syntheticInputs).toEqual({ seed: 4, samples: 3, sizes: SIZES });
    expect(report.notes).toEqual([NOTE]);
  });

  it('are those asked for in quantize', async () => {
    const report = await quantizeModel(at('model.onnx'), { dims, outputPath: at('q.onnx'), dryRun: true });
    expect(report.verification.runs).toBe('passed');
    expect(report.syntheticInputs).toMatchObject({ seed: 0, sizes: SIZES });
    expect(report.notes).toContain(NOTE);
  });

  it('are those asked for in quantize to FP16, whose ranges are measured at them', async () => {
    const options = { dims, mode: 'fp16', outputPath: at('h.onnx'), dryRun: true } as const;
    const report = await quantizeModel(at('model.onnx'), options);
    expect(report.calibration?.source).toBe('synthetic inputs (seed 0)');
    expect(report.syntheticInputs?.sizes).toEqual(SIZES);
  });

  it('are those asked for in optimize, whose model stays open', async () => {
    const report = await optimizeModel(at('model.onnx'), { dims, outputPath: at('o.onnx') });
    expect(report.verification.runs).toBe('passed');
    expect(report.syntheticInputs).toMatchObject({ seed: 0, sizes: SIZES });
    expect(report.notes).toContain(NOTE);
    const written = await readModel(at('o.onnx'));
    expect(written.graph.inputs[0]?.type).toMatchObject({ shape: ['batch', 'seq', 8] });
    written.close();
  });

  it('are those asked for in calibrate', async () => {
    const model = await readModel(at('model.onnx'));
    const { samples } = await calibrate(model, { kind: 'seeded', seed: 0, count: 2, dims }, { tensors: ['y'] });
    expect(samples).toBe(2);
    model.close();
  });

  it('are refused where no sample of them runs', async () => {
    const source = { kind: 'seeded', seed: 0, count: 2, dims: new Map([['seq', 7]]) } as const;
    const run = compare(at('model.onnx'), at('model.onnx'), source, { latency: false });
    await expect(run).rejects.toMatchObject({ code: 'SO5002' });
  });

  it('are found by trying where they are left open, and told', async () => {
    const source = { kind: 'seeded', seed: 0, count: 3, dims: new Map([['x:1', 12]]) } as const;
    const report = await compare(at('model.onnx'), at('model.onnx'), source, { latency: false });
    expect(report.syntheticInputs?.sizes).toEqual([
      { name: 'batch', sizes: [1, 2, 3] },
      { name: 'seq', sizes: [12] },
    ]);
    expect(report.notes).toEqual(['synthetic inputs: batch=1–3, seq=12']);
  });

  it('are asked for where those that are tried do not run', async () => {
    await expect(compare(at('model.onnx'), at('model.onnx'))).rejects.toMatchObject({
      code: 'SO5002',
      hint: expect.stringContaining('--dim'),
    });
  });
});

describe('sizes of real samples', () => {
  it.each(['compare', 'quantize', 'optimize'])(
    'that differ from those asked for are refused by %s',
    async (command) => {
      const dataPath = at('twelves.npz');
      const runs: Readonly<Record<string, () => Promise<unknown>>> = {
        compare: () => compare(at('model.onnx'), at('model.onnx'), { kind: 'data', path: dataPath, dims }),
        quantize: () => quantizeModel(at('model.onnx'), { dims, dataPath, outputPath: at('d.onnx'), dryRun: true }),
        optimize: () => optimizeModel(at('model.onnx'), { dims, dataPath, outputPath: at('d.onnx'), dryRun: true }),
      };
      await expect(runs[command]?.()).rejects.toMatchObject({
        code: 'SO4002',
        message: expect.stringMatching(/"x" has shape \[3, 12, 8\], the input expects \[batch, 24, 8\]/),
      });
    },
  );

  it('may be in batches of any size, and are no synthetic inputs', async () => {
    const source = { kind: 'data', path: at('twelves.npz'), dims: new Map([['batch', 1]]) } as const;
    const report = await compare(at('model.onnx'), at('model.onnx'), source, { latency: false });
    expect(report.comparison.samples).toBe(3);
    expect(report.syntheticInputs).toBeUndefined();
    expect(report.notes).toEqual([]);
  });
});
