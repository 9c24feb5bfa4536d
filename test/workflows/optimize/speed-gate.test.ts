/** What the gate makes of measurements that are handed to it: sessions of one model differ from load to load. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LatencyComparison } from '../../../src/bench/results.js';
import { readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { SESSIONS } from '../../../src/runtime/session-options.js';
import { Pipeline } from '../../../src/workflows/optimize/pipeline.js';
import { SpeedGate, type SpeedVerdict } from '../../../src/workflows/optimize/speed-gate.js';
import { Failure } from '../../../src/workflows/workbench/failure.js';
import { OriginalRuns } from '../../../src/workflows/workbench/original-runs.js';
import { reluBecomes } from '../own-passes.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const slow: LatencyComparison = {
  p50MsA: 1,
  p50MsB: 1.2,
  ratio: 1.2,
  ratioLow: 1.19,
  ratioHigh: 1.21,
  runs: 60,
  batchSize: 1,
};
const alike: LatencyComparison = { ...slow, p50MsB: 1, ratio: 1, ratioLow: 0.99, ratioHigh: 1.01 };

/** Judges a result with one rewrite, where the clock says what the list holds, in order. */
async function judged(
  measured: readonly LatencyComparison[],
): Promise<{ verdict: SpeedVerdict | string; looks: number; processes: number }> {
  const path = join(mkdtempSync(join(folder, 'in-')), 'model.onnx');
  await writeModel(
    parseModel('<ir_version: 8, opset_import: ["" : 17]> g (float[4] x) => (float[4] y) { y = Relu (x) }'),
    path,
  );
  const model = await readModel(path);
  const runtime = new LazyRuntime();
  try {
    const original = new OriginalRuns(runtime, model, model, path, {});
    const recipe = [reluBecomes('relu-is-softplus', 'Softplus', { group: 'fuse' })];
    const pipeline = new Pipeline(model, recipe, { maxGrowth: 'none' }, join(folder, 'out.onnx'), undefined);
    const optimized = await pipeline.run();
    expect(optimized.outcome.applied).toHaveLength(1);
    let looks = 0;
    const gate = new SpeedGate(original, pipeline, {}, async () => measured[looks++] ?? alike);
    const session = await original.sessions.load(path, SESSIONS.timed, 'result');
    if (session instanceof Failure) throw new Error(session.reason);
    const verdict = await gate.judge(optimized, session);
    return { verdict, looks, processes: runtime.generation + 1 };
  } finally {
    await runtime.close();
    model.source?.close();
  }
}

describe('SpeedGate', () => {
  it('is content with a first look that shows nothing', async () => {
    const { verdict, looks, processes } = await judged([alike]);
    expect(verdict).toMatchObject({ slower: [], hopeless: false });
    expect({ looks, processes }).toEqual({ looks: 1, processes: 1 });
  });

  it.each([2, 3])('drops nothing for what %i looks saw and another process does not', async (seen) => {
    const { verdict, looks, processes } = await judged([...Array<LatencyComparison>(seen).fill(slow), alike]);
    expect(verdict).toMatchObject({ slower: [], hopeless: false, latency: { ratio: 1 } });
    expect({ looks, processes }).toEqual({ looks: seen + 1, processes: seen });
  });

  it('blames what is slower in every process, by name', async () => {
    const { verdict, processes } = await judged(Array<LatencyComparison>(8).fill(slow));
    expect(verdict).toMatchObject({ slower: [{ pass: 'relu-is-softplus', ratio: 1.2 }], hopeless: false });
    expect(processes).toBe(5);
  });

  it('says so when nothing that can be left out helps', async () => {
    const { verdict } = await judged(Array<LatencyComparison>(40).fill(slow));
    expect(verdict).toMatchObject({ hopeless: true });
  });
});
