import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import type { Model } from '../../src/ir/model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { inputSpecs } from '../../src/samples/value-specs.js';
import { compare } from '../../src/workflows/compare.js';
import { checkMemory, defaultMemoryBytes, memoryBytes, memoryLimit } from '../../src/workflows/memory.js';
import { FragmentEvaluator } from '../../src/workflows/optimize/constant-evaluator.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { SIZE_BOMBS } from '../helpers/bombs/size-bombs.js';

const HEAD = '<ir_version: 9, opset_import: ["": 19]>';
const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function written(name: string, model: Model): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeModel(model, path);
  return path;
}

function bomb(name: string): Model {
  const found = SIZE_BOMBS.find((each) => each.name === name);
  if (!found) throw new Error(`there is no bomb ${name}`);
  return parseModel(found.text);
}

const failureOf = (work: Promise<unknown> | (() => unknown)): Promise<ServeOptError | undefined> =>
  Promise.resolve()
    .then(() => (typeof work === 'function' ? work() : work))
    .then(
      () => undefined,
      (error: unknown) => {
        expect(error).toBeInstanceOf(ServeOptError);
        return error as ServeOptError;
      },
    );

describe('memoryBytes', () => {
  it('reads a size with a unit, and refuses what is none or too little for ONNX Runtime', () => {
    expect([memoryBytes('512MB'), memoryBytes('2GiB'), memoryBytes(1e9)]).toEqual([512e6, 2 ** 31, 1e9]);
    for (const wrong of ['', 'much', '0', '100MB', '-1GB', '50%', Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => memoryBytes(wrong), String(wrong)).toThrow(/of --mem is not allowed/);
  });
});

describe('the default', () => {
  it('is 1 GiB and four times the model, and at most half of what is available', () => {
    expect(defaultMemoryBytes(1600, 64e9)).toBe(2 ** 30 + 6400);
    expect(defaultMemoryBytes(4e9, 64e9)).toBe(2 ** 30 + 16e9);
    expect(defaultMemoryBytes(4e9, 8e9)).toBe(4e9);
    expect(defaultMemoryBytes(1600, 1e6)).toBe(256e6);
  });

  it('is shared by processes that live at once', () => {
    expect(memoryLimit({ memory: '4GB' }, [], 4)).toBe(1e9);
    expect(memoryLimit({ memory: '512MB' }, [])).toBe(512e6);
  });
});

describe('checkMemory', () => {
  const check = (model: Model, madeUp = true): Promise<ServeOptError | undefined> =>
    failureOf(() => checkMemory(model, 2 ** 30, { inputs: inputSpecs(model), madeUp }));

  it('names the input that is too large to be made up', async () => {
    const error = await check(bomb('large-input'));
    expect(error?.code).toBe('SO2105');
    expect(error?.message).toBe(
      'The input "x" of type float[268435456,4] would take 4.29 GB; the limit is 1.07 GB (--mem)',
    );
  });

  it('names the node that makes too much', async () => {
    const error = await check(bomb('tile'));
    expect(error?.exitCode).toBe(3);
    expect(error?.message).toBe(
      'Tile "big" would produce 68.7 GB (float[131072,131072]); the limit is 1.07 GB (--mem)',
    );
  });

  it('tries the sizes that open dimensions would take, where inputs are made up', async () => {
    const model = bomb('quadratic-in-the-batch');
    expect((await check(model))?.message).toMatch(/^MatMul "y" would produce 17\.2 GB/);
    expect(await check(model, false)).toBeUndefined();
  });

  it('refuses loops that do not end', async () => {
    expect((await check(bomb('loop-without-end')))?.message).toBe('Loop "y" never ends');
    expect((await check(bomb('loop-in-a-loop')))?.code).toBe('SO2104');
  });
});

describe('folding', () => {
  it('leaves out what would take too much, says so, and goes on', async () => {
    const model =
      parseModel(`${HEAD} net (float[N] x) => (float[N] y) <int64[2] s = {131072, 131072}, float[1,1] one = {1}, float a = {1}, float b = {2}> {
      big = Tile (one, s) m = ReduceMax <keepdims = 0> (big) c = Add (a, b) z = Add (x, c) y = Add (z, m) }`);
    const runtime = new LazyRuntime({ memoryBytes: 2 ** 30 });
    const evaluator = new FragmentEvaluator(runtime);
    try {
      const { applied, refusals } = await optimizeGraph(model, {
        evaluate: evaluator.evaluate,
        memoryBytes: 2 ** 30,
        growthBytes: Number.POSITIVE_INFINITY,
      });
      expect(applied.some(({ nodes }) => nodes[0]?.label === 'c')).toBe(true);
      expect(refusals.map(({ reason }) => reason)).toContain(
        'Tile "big" would produce 68.7 GB (float[131072,131072]); the limit is 1.07 GB (--mem)',
      );
    } finally {
      await evaluator.close();
      await runtime.close();
    }
  });
});

describe('commands under a limit', () => {
  const SMALL = `${HEAD} net (float[N,4] x) => (float[N,2] y) <float[4,2] w = {1,2,3,4,5,6,7,8}, float a = {1}, float b = {2}> {
    c = Add (a, b) d = MatMul (x, w) y = Mul (d, c) }`;

  it('optimize a small model under a low one', async () => {
    const path = await written('small', parseModel(SMALL));
    const report = await optimizeModel(path, { memory: '300MB', speedGate: false });
    expect(report.verification.runs).toBe('passed');
  });

  it('stop with the node before anything is run, and write nothing', async () => {
    const path = await written('bomb', bomb('concat-doubling'));
    for (const work of [optimizeModel, quantizeModel]) {
      const outputPath = join(folder, `${work.name}.onnx`);
      const error = await failureOf(work(path, { outputPath }));
      expect(error?.message).toMatch(/^Concat "t\d+" would produce .* \(--mem\)$/);
      expect(existsSync(outputPath)).toBe(false);
    }
  });

  it('optimize what is too large to be run, where nothing is to be run', async () => {
    const path = await written('unverified', bomb('concat-doubling'));
    const report = await optimizeModel(path, { verify: false });
    expect(report.warnings.some((text) => /The speed was not measured: Concat .* \(--mem\)/.test(text))).toBe(true);
  });

  it('tell of sizes that only a run shows by the limit of the process', async () => {
    const path = await written('data-dependent', bomb('expand-by-an-input'));
    const error = await failureOf(compare(path, path, undefined, { memory: '400MB' }));
    expect(error).toMatchObject({
      code: 'SO2105',
      message: 'The model needs more than the 400 MB that --mem allows',
      why: 'a node of the operator Expand requested 68.7 GB at once',
    });
  });
});
