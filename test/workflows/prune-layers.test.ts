import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBudgets } from '../../src/gates/parse-budget.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { pruneModel } from '../../src/workflows/prune-model.js';
import { float32 } from '../helpers/npy.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (name: string): string => join(mkdtempSync(join(folder, 'out-')), name);

function weight(name: string, scale: number): string {
  const values = Array.from({ length: 64 }, (_, at) => (scale * Math.sin(at * 5.1 + name.charCodeAt(0))).toFixed(4));
  return `float[8,8] ${name} = {${values.join(',')}}`;
}

/** Three blocks: the second one hardly adds anything; the third has large weights that read what a Relu has made zero. */
async function network(): Promise<string> {
  const path = fresh('net.onnx');
  const weights = [
    weight('a', 0.5),
    weight('b', 0.5),
    weight('c', 0.01),
    weight('d', 0.01),
    weight('e', 2),
    weight('f', 2),
  ];
  const text = `<ir_version: 8, opset_import: ["": 17]> g (float[n,8] x) => (float[n,8] y)
    <${weights.join(', ')}, float[8] low = {-99, -99, -99, -99, -99, -99, -99, -99}> {
      p = MatMul (x, a) q = Relu (p) r = MatMul (q, b) s = Add (x, r)
      t = MatMul (s, c) u = Relu (t) v = MatMul (u, d) w = Add (v, s)
      h = MatMul (w, e) i = Add (h, low) j = Relu (i) k = MatMul (j, f) y = Add (w, k)
    }`;
  await writeModel(parseModel(text), path);
  return path;
}

function samples(): string {
  const path = fresh('x.npy');
  writeFileSync(
    path,
    float32(
      [40, 8],
      Array.from({ length: 320 }, (_, at) => Math.sin(at * 1.7)),
    ),
  );
  return path;
}

describe('pruneModel drops whole blocks', () => {
  it('those whose loss changes the outputs least, with data', async () => {
    const report = await pruneModel(await network(), {
      method: 'layers',
      amount: 2,
      dataPath: samples(),
      outputPath: fresh('out.onnx'),
    });
    expect(report.rankedBy).toBe('output change');
    expect(report.blocks?.map(({ dropped }) => dropped)).toEqual([false, true, true]);
    expect(report.blocks?.[2]?.change).toBe(0);
    expect(report.after.macs).toBe(128);
    expect(report.verification).toMatchObject({ loads: 'passed', runs: 'passed' });
  });

  it('fewer where a budget of the outputs is missed', async () => {
    const report = await pruneModel(await network(), {
      method: 'layers',
      amount: 3,
      dataPath: samples(),
      budgets: parseBudgets(['sqnr=60dB'], 'prune'),
      outputPath: fresh('out.onnx'),
    });
    expect(report.attempts?.map(({ amount, budgets }) => [amount, budgets?.[0]?.verdict])).toEqual([
      [3, 'fail'],
      [1, 'pass'],
      [2, 'pass'],
    ]);
    expect(report).toMatchObject({ amount: 2, verdict: 'pass' });
  });

  it('and fits the layers behind them anew, with data', async () => {
    const report = await pruneModel(await network(), {
      method: 'layers',
      amount: 1,
      include: ['r'],
      dataPath: samples(),
      outputPath: fresh('out.onnx'),
    });
    expect(report.blocks?.map(({ dropped }) => dropped)).toEqual([true, false, false]);
    expect(report.repair.map(({ layer }) => layer)).toEqual(['t', 'v', 'h', 'k']);
    const fitted = report.repair.filter(({ left }) => left === undefined);
    // What the sum behind it lacks, the second layer of the next block makes up for.
    expect(fitted.map(({ layer }) => layer)).toContain('v');
    for (const { before = 0, after = 1 } of fitted) expect(after).toBeLessThan(before);
    expect(report.warnings.join()).not.toContain('The repair is left out');
  });

  it('those with the smallest weights without data, and says that this is a guess', async () => {
    const report = await pruneModel(await network(), { method: 'layers', amount: 0.3, outputPath: fresh('out.onnx') });
    expect(report.rankedBy).toBe('weights');
    expect(report.blocks?.map(({ dropped }) => dropped)).toEqual([false, true, false]);
    expect(report.notes.join()).toContain('which is a guess');
  });

  it('as many as a target takes, and says how far they go', async () => {
    const path = await network();
    const report = await pruneModel(path, { method: 'layers', targetMacs: 0.6, outputPath: fresh('out.onnx') });
    expect(report.amount).toBe(2);
    const outputPath = fresh('never.onnx');
    for (const [options, text] of [
      [{ amount: 4 }, '3 blocks can be dropped'],
      [{ amount: 0.1 }, 'rounds to none of the 3 blocks'],
      [{ amount: 1, exclude: ['MatMul'] }, 'No layers of this model can be dropped'],
    ] as const) {
      await expect(pruneModel(path, { method: 'layers', ...options, outputPath })).rejects.toThrow(text);
      expect(readdirSync(dirname(outputPath))).toEqual([]);
    }
  });
});
