import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, describe, expect, it } from 'vitest';
import { ChildState } from '../../../src/runtime/child-state.js';
import type { JobProgress } from '../../../src/runtime/job.js';
import { compareJob } from '../../../src/runtime/jobs/compare.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { errorText, spec } from '../../helpers/data-files.js';
import { float32, int64 } from '../../helpers/npy.js';
import { npz } from '../../helpers/zip.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-compare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { onnx } = onnxProto;

interface ModelOptions {
  readonly output?: string;
  readonly batch?: number;
  readonly extraOutput?: boolean;
}

/** logits = x · scale, with x float[N,3] and scale float[3]. */
function model(name: string, scale: readonly number[], options: ModelOptions = {}): string {
  const { output = 'logits', batch } = options;
  const dims = [batch === undefined ? { dimParam: 'N' } : { dimValue: batch }, { dimValue: 3 }];
  const value = (valueName: string) => ({
    name: valueName,
    type: { tensorType: { elemType: 1, shape: { dim: dims } } },
  });
  const bytes = onnx.ModelProto.encode(
    onnx.ModelProto.fromObject({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'g',
        node: [
          { opType: 'Mul', input: ['x', 'scale'], output: [output] },
          ...(options.extraOutput ? [{ opType: 'Neg', input: ['x'], output: ['negative'] }] : []),
        ],
        initializer: [{ name: 'scale', dims: [3], dataType: 1, floatData: scale }],
        input: [value('x')],
        output: [value(output), ...(options.extraOutput ? [value('negative')] : [])],
      },
    }),
  ).finish();
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
}

const data = join(folder, 'eval.npz');
writeFileSync(
  data,
  npz({
    x: float32([5, 3], [3, 2, 0, 0, 3, 2, 2, 0, 3, 3, 0, 2, 2, 3, 0]),
    labels: int64([5], [0, 1, 2, 0, -1]),
  }),
);

async function compare(a: string, b: string, more: object = {}, inputs = [spec('x', DataType.FLOAT, ['N', 3])]) {
  const state = new ChildState();
  const seen: JobProgress[] = [];
  const params = {
    a: (await state.load(a)).id,
    b: (await state.load(b)).id,
    source: { kind: 'data', path: data } as const,
    inputs,
    batchSize: 2,
    ...more,
  };
  const result = await compareJob(state, params, (progress) => seen.push(progress));
  return { result, seen };
}

describe('comparing two models', () => {
  it('runs both on the same samples, batch by batch, and scores both against the labels', async () => {
    const { result, seen } = await compare(model('a', [1, 1, 1]), model('b', [1, 1, 2]));
    expect(seen.map((progress) => [progress.done, progress.total])).toEqual([
      [2, 5],
      [4, 5],
      [5, 5],
    ]);
    expect(result).toMatchObject({
      source: { kind: 'data', name: 'eval.npz', first: 0 },
      samples: 5,
      unmatched: { a: [], b: [] },
      outputs: [{ name: 'logits', elements: 15, maxAbs: 3, meanAbs: 7 / 15, top1Agreement: { value: 3 / 5, n: 5 } }],
      metrics: [{ metric: 'top-1 accuracy', output: 'logits', a: { value: 1, n: 4 }, b: { value: 0.5, n: 4 } }],
    });
    expect(JSON.stringify(result)).not.toContain(folder);
  });

  it('gives the same result for any batch size, and for a batch size that a model fixes', async () => {
    const { result } = await compare(model('a', [1, 1, 1]), model('b', [1, 1, 2]), { batchSize: 100 });
    const fixed = { batch: 1 };
    const inputs = [spec('x', DataType.FLOAT, [1, 3])];
    const one = await compare(model('a1', [1, 1, 1], fixed), model('b1', [1, 1, 2], fixed), {}, inputs);
    expect(one.seen).toHaveLength(5);
    expect(one.result.metrics).toEqual(result.metrics);
    expect(one.result.outputs).toEqual(result.outputs);
  });

  it('fills the last batch up and cuts it where the model fixes a larger batch', async () => {
    const fixed = { batch: 2 };
    const inputs = [spec('x', DataType.FLOAT, [2, 3])];
    const { result } = await compare(model('a2', [1, 1, 1], fixed), model('b2', [1, 1, 2], fixed), {}, inputs);
    expect(result.samples).toBe(5);
    expect(result.metrics).toMatchObject([{ a: { value: 1, n: 4 }, b: { value: 0.5, n: 4 } }]);
  });

  it('takes a range of the samples, leaves labels out when told, and takes seeded samples', async () => {
    const range = { source: { kind: 'data', path: data, first: 3, count: 2 } };
    const part = await compare(model('a', [1, 1, 1]), model('b', [1, 1, 2]), range);
    expect(part.result).toMatchObject({ samples: 2, source: { first: 3 }, metrics: [{ a: { n: 1 } }] });
    const bare = await compare(model('a', [1, 1, 1]), model('b', [1, 1, 2]), { labels: false });
    expect(bare.result.metrics).toBeUndefined();
    const seeded = { source: { kind: 'seeded', seed: 1, count: 3 } };
    const { result } = await compare(model('a', [1, 1, 1]), model('a', [1, 1, 1]), seeded);
    expect(result).toMatchObject({ source: { kind: 'seeded', seed: 1 }, samples: 3, outputs: [{ exactEqual: 1 }] });
  });

  it('names outputs that only one model has, and fails when there is no common one', async () => {
    const { result } = await compare(model('more', [1, 1, 1], { extraOutput: true }), model('b', [1, 1, 2]));
    expect(result.unmatched).toEqual({ a: ['negative'], b: [] });
    const other = model('other', [1, 1, 1], { output: 'scores' });
    expect(await errorText(() => compare(model('a', [1, 1, 1]), other))).toMatch(/^SO4005 .*logits.*scores/);
  });
});
