import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { Failure } from '../../../src/workflows/workbench/failure.js';
import { withTrials } from '../../../src/workflows/workbench/trials.js';

const weights = Array.from({ length: 1024 }, (_, i) => ((i * 7) % 13) / 13).join(',');
const MODEL = `<ir_version: 8, opset_import: ["" : 17]> g (float[N, 32] x) => (float[N, 32] y) <float[32, 32] w = {${weights}}> {
  y = MatMul (x, w) }`;

let folder: string;
let path: string;
let model: Model;
let runtime: LazyRuntime;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  path = join(folder, 'model.onnx');
  await writeModel(parseModel(MODEL), path);
  model = await readModel(path);
  runtime = new LazyRuntime();
});
afterAll(async () => {
  await runtime.close();
  model.source?.close();
  rmSync(folder, { recursive: true, force: true });
});

const SEEDED = { kind: 'seeded', seed: 3, count: 4 } as const;
const negated = (): Model => parseModel(MODEL.replace('y = MatMul (x, w)', 't = MatMul (x, w) y = Neg (t)'));

it('holds many candidates against one run of the original', async () => {
  await withTrials(runtime, { model, path }, {}, async (trials) => {
    const samples = await trials.on(SEEDED);
    expect(samples).toMatchObject({ count: 4, of: 4 });
    const copy = model.clone();
    copy.producerName = 'another';
    expect(await samples.score(copy)).toMatchObject({ samples: 4, outputs: [{ name: 'y', exactEqual: 1 }] });
    const other = await samples.score(negated(), { most: 2 });
    expect(other).toMatchObject({ samples: expect.any(Number) });
    if (other instanceof Failure) throw new Error(other.reason);
    expect(other.outputs[0]?.sqnrDb).toBeLessThan(0);
    expect(trials.count).toBe(2);
  });
  expect(readdirSync(folder)).toEqual(['model.onnx']);
});

it('gives a reason for a candidate that ONNX Runtime refuses, and goes on', async () => {
  await withTrials(runtime, { model, path }, {}, async (trials) => {
    const samples = await trials.on(SEEDED);
    const refused = await samples.score(parseModel(MODEL.replace('MatMul (x, w)', 'NoSuchOperator (x, w)')));
    expect(refused).toBeInstanceOf(Failure);
    expect(await samples.score(model.clone())).toMatchObject({ outputs: [{ exactEqual: 1 }] });
  });
});

it('runs the original again where the process was lost', async () => {
  await withTrials(runtime, { model, path }, {}, async (trials) => {
    const samples = await trials.on(SEEDED);
    await runtime.close();
    expect(await samples.score(model.clone())).toMatchObject({ outputs: [{ exactEqual: 1 }] });
  });
});

it('keeps no more samples than memory is allowed for, and says so', async () => {
  await withTrials(runtime, { model, path }, {}, async (trials) => {
    const samples = await trials.on({ ...SEEDED, count: 6 }, { batchSize: 1, maxBytes: 1 });
    expect(samples.count).toBeLessThan(samples.of);
    expect(await samples.score(negated())).toMatchObject({ samples: samples.count });
  });
});
