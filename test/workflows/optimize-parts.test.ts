import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { interfaceOf } from '../../src/workflows/optimize/interface-check.js';
import { Verifier } from '../../src/workflows/optimize/verifier.js';
import { growthBytes } from '../../src/workflows/produce/growth.js';
import { Failure } from '../../src/workflows/workbench/failure.js';
import { OriginalRuns } from '../../src/workflows/workbench/original-runs.js';
import { randomOutputs } from '../../src/workflows/workbench/random-outputs.js';
import { scaled } from '../helpers/limits.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = (text: string): Model => parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);

describe('limits of growth', () => {
  it.each([
    [0, 0],
    [123, 123],
    ['500', 500],
    ['2kB', 2000],
    ['1.5 MB', 1_500_000],
    ['2MiB', 2 * 1024 * 1024],
    ['5%', 5000],
    // A small share is so many bytes at least, unless there is to be none.
    ['0.1%', 512],
    ['0%', 0],
    ['none', Number.POSITIVE_INFINITY],
    ['unlimited', Number.POSITIVE_INFINITY],
  ])('of %s are understood', (growth, bytes) => {
    expect(growthBytes(growth, 100_000)).toBe(bytes);
  });

  it.each(['', '-1', '5 apples', '1e3', '%', 'MB', '-5%'])('of "%s" are refused', (text) => {
    expect(() => growthBytes(text, 1000)).toThrow('not a growth limit');
  });
});

describe('outputs that depend on random numbers', () => {
  it('are found through nodes, subgraphs and local functions', () => {
    const random = model(`g (float[2] x, bool c) => (float[2] plain, float[2] noisy, float[2] branch) {
      plain = Relu (x)
      r = RandomNormalLike (x)
      noisy = Add (plain, r)
      branch = If (c) <then_branch = t () => (float[2] a) { a = Neg (r) }, else_branch = e () => (float[2] b) { b = Neg (x) }>
    }`);
    expect([...randomOutputs(random)]).toEqual(['noisy', 'branch']);
    const called = parseModel(`<ir_version: 8, opset_import: ["" : 17, "f" : 1]>
      g (float[2] x) => (float[2] y) { y = f.Noise (x) }
      <domain: "f", opset_import: ["" : 17]> Noise (a) => (b) { b = RandomUniformLike (a) }`);
    expect([...randomOutputs(called)]).toEqual(['y']);
  });
});

describe('the verifier', () => {
  const TEXT = 'g (float[N, 3] x) => (float[N, 3] y) { y = Relu (x) }';

  it('does not blame a result for a process that ended before', async () => {
    const path = join(folder, 'a.onnx');
    await writeModel(model(TEXT), path);
    const original = await readModel(path);
    const runtime = new LazyRuntime();
    try {
      const runs = new OriginalRuns(runtime, original, original, path, {});
      const verifier = new Verifier(original, interfaceOf(original), runs);
      expect((await verifier.check(path, true, 'plain')).wrong).toBeUndefined();
      const host = await runtime.host();
      process.kill(host.childPid, 'SIGKILL');
      // Its death has been noticed once it answers no more.
      while (await host.request('versions', undefined).catch(() => undefined)) {}
      const verdict = await verifier.check(path, true, 'optimized');
      expect(verdict.wrong).toBeUndefined();
      expect(verdict.session).toBeDefined();
      expect(runtime.generation).toBe(1);
    } finally {
      await runtime.close();
      original.source?.close();
    }
  });

  it('leaves out edge cases that the original does not come to an end with', async () => {
    const path = join(folder, 'endless.onnx');
    // While not x >= 10: NaN never is.
    await writeModel(
      model(`g (float x) => (float y) <float one = {1}, float ten = {10}, int64 most = {9223372036854775807}> {
        more = Less (x, ten)
        y = Loop (most, more, x) <body = b (int64 i, bool go, float v) => (bool on, float w) {
          w = Add (v, one) reached = GreaterOrEqual (w, ten) on = Not (reached)
        }>
      }`),
      path,
    );
    const original = await readModel(path);
    const runtime = new LazyRuntime();
    try {
      const runs = new OriginalRuns(runtime, original, original, path, {}, scaled(1500));
      const reference = await runs.reference();
      if (reference instanceof Failure) throw new Error(reference.reason);
      expect(reference.samples).toBeGreaterThan(0);
      const verdict = await new Verifier(original, interfaceOf(original), runs).check(path, true, 'plain');
      expect(verdict).toMatchObject({ depth: 'plain' });
      expect(verdict.wrong).toBeUndefined();
    } finally {
      await runtime.close();
      original.source?.close();
    }
  });
});
