import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import type { SampleSource } from '../../../src/samples/types.js';
import { optimizeModel } from '../../../src/workflows/optimize-model.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';
import { smallerSamples, withSmallerSamples } from '../../../src/workflows/workbench/smaller-samples.js';

const tooLarge = (): ServeOptError => new ServeOptError('SO2105', 'too large');

describe('synthetic samples that take too much memory', () => {
  it('become fewer, then small, and then there are none', async () => {
    const tried: SampleSource[] = [];
    let renewed = 0;
    const trying = withSmallerSamples(
      { kind: 'seeded', seed: 1, count: 4 },
      async (source) => {
        tried.push(source);
        throw tooLarge();
      },
      async () => {
        renewed++;
      },
    );
    await expect(trying).rejects.toMatchObject({ code: 'SO2105' });
    expect(tried.map((source) => source.kind === 'seeded' && source.count)).toEqual([4, 2, 1, 1]);
    expect(tried.at(-1)).toMatchObject({ plan: { sizes: expect.any(Number) } });
    expect(renewed).toBe(3);
  });

  it('are all wanted where they are real', () => {
    expect(smallerSamples({ kind: 'data', path: 'x.npz' })).toBeUndefined();
  });
});

describe('a model whose larger samples do not fit the memory', () => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
    path = join(folder, 'attention.onnx');
    // Scores of every position with every other: 64 × 64 positions make 67 MB, eight times, 32 × 32 a sixteenth of it.
    const model = parseModel(`<ir_version: 8, opset_import: ["" : 17]>
      g (float[b,4,h,w] x) => (float[b,n] y)
      <int64[3] flat = {0, 4, -1}, float[4,4] weight = {1,2,3,4, 5,6,7,8, 8,7,6,5, 4,3,2,1}> {
        f = Reshape (x, flat)
        t = Transpose <perm = [0, 2, 1]> (f)
        u = MatMul (t, weight)
        s = MatMul (u, f)
        p = Softmax (s)
        q = Tanh (s)
        r = Sigmoid (s)
        c = Concat <axis = 2> (s, p, q, r)
        d = Identity (c)
        y = ReduceMean <axes = [2], keepdims = 0> (d)
      }`);
    await writeModel(model, path);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is verified on those that do', async () => {
    const options = { memory: '450MB', force: true } as const;
    const optimized = await optimizeModel(path, { ...options, outputPath: join(folder, 'o.onnx') });
    expect(optimized.verification.runs).toBe('passed');
    const quantized = await quantizeModel(path, { ...options, mode: 'fp16', outputPath: join(folder, 'q.onnx') });
    expect(quantized.verification.runs).toBe('passed');
  });
});
