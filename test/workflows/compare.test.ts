import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { compare } from '../../src/workflows/compare.js';

const FIXTURE = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp');
const MODEL = join(FIXTURE, 'model.onnx');
const DATA = join(FIXTURE, 'eval.npz');

const SOME = { kind: 'data', path: DATA, count: 20 } as const;
const quick = { latency: false } as const;

/** Halves every large matrix, so that nothing but the small tensors still stands in the file. */
function halveMatrices(model: Model): void {
  for (const value of model.graph.initializers) {
    const { tensor } = value;
    if (tensor?.rank !== 2 || tensor.byteLength < 1024) continue;
    value.tensor = Tensor.float32(
      tensor.float32Array().map((element) => element / 2),
      tensor.dims,
    );
  }
}

describe('compare', () => {
  it('finds a model in memory equal to the file it came from', async () => {
    const model = await readModel(MODEL);
    const report = await compare(MODEL, model, SOME, quick);
    expect(report.comparison.samples).toBe(20);
    for (const output of report.comparison.outputs) expect(output.exactEqual).toBe(1);
    expect(report.b).toEqual({ name: 'model.onnx', sizeBytes: report.a.sizeBytes });
    expect(report.a.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(report.latency).toBeUndefined();
    model.source?.close();
  });

  it('compares two models in memory whose weights stand in one file', async () => {
    const original = await readModel(MODEL);
    const changed = original.clone();
    await changed.transform(halveMatrices);
    const report = await compare(original, changed, SOME, quick);
    const probabilities = report.comparison.outputs.find((output) => output.name === 'probabilities');
    expect(probabilities?.maxAbs).toBeGreaterThan(0.01);
    expect(report.comparison.metrics?.[0]?.a.n).toBe(20);
    original.source?.close();
  });

  it('runs models that never were a file on synthetic inputs, the same for the same seed', async () => {
    const a = parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }');
    const b = parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[N,4] x) => (float[N,4] y) { y = Abs(x) }');
    const first = await compare(a, b, { kind: 'seeded', seed: 7, count: 8 }, { latency: false });
    const second = await compare(a, b, { kind: 'seeded', seed: 7, count: 8 }, { latency: false });
    expect(first).toEqual(second);
    expect(first.a.name).toBe('a.onnx');
    expect(first.comparison.outputs[0]?.maxAbs).toBeGreaterThan(0);
  });

  it('measures latencies unless told not to', async () => {
    const model = await readModel(MODEL);
    const report = await compare(model, model.clone(), { kind: 'data', path: DATA, count: 4 });
    expect(report.latency?.runs).toBeGreaterThan(0);
    model.source?.close();
  });

  it('refuses models that take other inputs, naming both sides', async () => {
    const a = parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[N] x) => (float[N] y) { y = Relu(x) }');
    const b = parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[N] z) => (float[N] y) { y = Relu(z) }');
    await expect(compare(a, b)).rejects.toMatchObject({
      code: 'SO4002',
      message: expect.stringMatching(/"x: float\[N\]".*z: float\[N\]/),
    });
  });

  it('leaves nothing in the temporary folder, neither when it succeeds nor when it fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'compare-'));
    vi.stubEnv('TMPDIR', folder);
    try {
      const model = await readModel(MODEL);
      await compare(model, MODEL, SOME, quick);
      await expect(compare(model, 'absent.onnx', SOME, quick)).rejects.toMatchObject({ code: 'SO2001' });
      await expect(compare(model, model, 'absent.npz', quick)).rejects.toMatchObject({ code: 'SO2001' });
      model.source?.close();
      // Nor does ONNX Runtime, whose telemetry would.
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
  });
});
