import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { Feeds, SampleSource, ValueSpec } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';
import { scaled } from '../helpers/limits.js';
import { modelFolder, node, type TestGraph, unary } from './models.js';

const DIGITS = join(import.meta.dirname, '../../fixtures/digits-mlp');
const folder = modelFolder();
let host: RuntimeHost;
let digits: number;

beforeAll(async () => {
  host = await startRuntime();
  digits = (await host.request('load', { path: join(DIGITS, 'model.onnx'), options: { threads: 1 } })).session;
});
afterAll(async () => {
  await host.close();
  rmSync(folder.path, { recursive: true });
});

const seeded: SampleSource = { kind: 'seeded', seed: 3, count: 20 };
const data: SampleSource = { kind: 'data', path: join(DIGITS, 'calib.npz') };
const pixels = (...shape: (number | string)[]): ValueSpec[] => [
  { name: 'X', dataType: DataType.FLOAT, shape, typeText: 'float[N,64]' },
];
const open: ValueSpec = { name: 'x', dataType: DataType.FLOAT, shape: ['N', 'S'], typeText: 'float[N,S]' };

describe('synthetic samples of one shape', () => {
  it('have the shape of sample 0 and differ in their values; so does every input', () => {
    const inputs = [open, { ...open, name: 'mask', dataType: DataType.INT64 }];
    const reader = seededReader(1, 8, inputs, { sameShapes: true });
    const samples = Array.from({ length: 8 }, (_, i) => reader.read(i, 1) as Feeds);
    const first = seededReader(1, 8, inputs).read(0, 1) as Feeds;
    for (const sample of samples) {
      for (const [name, tensor] of sample) expect(tensor.dims).toEqual(first.get(name)?.dims);
    }
    const values = samples.map((sample) => String(sample.get('x')?.data));
    expect(new Set(values).size).toBe(8);
    expect(samples[0]).toEqual(first);
  });
});

describe('measureStart', () => {
  it('makes up samples of one shape, says what is fed, and times the first run', async () => {
    const { session } = await host.request('load', { path: folder.write('relu.onnx', unary('Relu', 1, ['N', 'S'])) });
    const start = await host.request('measureStart', { session, source: seeded, inputs: [open], batchSize: 1 });
    expect(start.inputs).toEqual([{ name: 'x', dataType: DataType.FLOAT, dims: [1, 16] }]);
    expect(start.samples).toBe(8);
    expect(start.inputBytes).toBe(8 * 16 * 4);
    expect(start.firstRunMs).toBeGreaterThan(0);
  });

  it('keeps fewer samples ready where they are large', async () => {
    const { session } = await host.request('load', { path: folder.write('relu.onnx', unary('Relu', 1, ['N', 'S'])) });
    const inputs = [{ ...open, shape: [10 * 2 ** 20, 1] }];
    const start = await host.request('measureStart', { session, source: seeded, inputs, batchSize: 1 });
    expect(start.samples).toBe(2);
    expect(start.inputBytes).toBe(80 * 2 ** 20);
  });

  it('takes sizes that were chosen', async () => {
    const params = { session: digits, source: seeded, inputs: pixels(32, 64), batchSize: 32 };
    expect((await host.request('measureStart', params)).inputs[0]?.dims).toEqual([32, 64]);
  });

  it('stacks the samples of a data set, whether its rows are chosen or open', async () => {
    for (const inputs of [pixels('N', 64), pixels(25, 64)]) {
      const params = { session: digits, source: data, inputs, batchSize: 25 };
      const start = await host.request('measureStart', params);
      expect(start.inputs[0]?.dims).toEqual([25, 64]);
      expect(start.samples).toBe(8);
    }
  });

  it('has as many different batches as the data has', async () => {
    const params = { session: digits, source: { ...data, count: 50 }, inputs: pixels('N', 64), batchSize: 20 };
    expect((await host.request('measureStart', params)).samples).toBe(2);
  });

  it.each([
    ['samples that do not stack', pixels(1, 64), 4, 'cannot be stacked to batches of 4'],
    ['fewer samples than a batch', pixels('N', 64), 1000, 'A batch of 1000 needs 1000 samples, but the data has 200'],
    ['data that contradicts a chosen size', pixels('N', 65), 1, '64'],
  ])('refuses %s', async (_, inputs, batchSize, message) => {
    const request = host.request('measureStart', { session: digits, source: data, inputs, batchSize });
    await expect(request).rejects.toMatchObject({ code: 'SO4002', message: expect.stringContaining(message) });
  });

  it('refuses sizes that the model refuses with what ONNX Runtime says', async () => {
    const request = host.request('measureStart', {
      session: digits,
      source: seeded,
      inputs: pixels(1, 63),
      batchSize: 1,
    });
    await expect(request).rejects.toMatchObject({ code: 'SO4002', message: expect.stringContaining('63') });
  });
});

describe('a measurement', () => {
  it('warms up, and goes on from part to part', async () => {
    const params = { session: digits, source: seeded, inputs: pixels(1, 64), batchSize: 1 };
    const { measurement } = await host.request('measureStart', params);
    const warm = await host.request('measureWarmUp', { measurement, maxMs: scaled(2000) });
    expect(warm.runs).toBeGreaterThanOrEqual(3);
    const first = await host.request('measureAdvance', { measurement, maxMs: 30 });
    const second = await host.request('measureAdvance', { measurement, maxMs: 30_000, maxRuns: 5 });
    expect(first.latencyMs.length).toBeGreaterThan(0);
    expect(first.startMs).toHaveLength(first.latencyMs.length);
    expect(first.serviceMs).toBeUndefined();
    expect(first.cpuMs).toBeGreaterThan(0);
    expect(first.involuntarySwitches).toSatisfy(Number.isInteger);
    expect(second.latencyMs).toHaveLength(5);
    expect(second.startMs[0]).toBeGreaterThanOrEqual(first.wallMs);
    const starts = [...first.startMs, ...second.startMs];
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(Math.min(...first.latencyMs)).toBeGreaterThan(0);
  });

  it('in an open loop starts at the same times for the same seed, and counts what waiting took', async () => {
    const inputs = pixels(1, 64);
    const openLoop = { ratePerSecond: 500, arrivals: 'poisson', seed: 9 } as const;
    const starts: Float64Array[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const params = { session: digits, source: seeded, inputs, batchSize: 1, openLoop };
      const { measurement } = await host.request('measureStart', params);
      const part = await host.request('measureAdvance', { measurement, maxMs: 30_000, maxRuns: 20 });
      starts.push(part.startMs);
      for (const [i, ms] of part.latencyMs.entries()) expect(ms).toBeGreaterThanOrEqual(part.serviceMs?.[i] ?? 0);
    }
    expect(starts[0]).toHaveLength(20);
    expect(starts[1]).toEqual(starts[0]);
  });

  it('ends with its session', async () => {
    const { session } = await host.request('load', { path: join(DIGITS, 'model.onnx') });
    const params = { session, source: seeded, inputs: pixels(1, 64), batchSize: 1 };
    const { measurement } = await host.request('measureStart', params);
    await host.request('release', { session });
    const request = host.request('measureAdvance', { measurement, maxMs: 1 });
    await expect(request).rejects.toMatchObject({ message: expect.stringContaining('no measurement') });
  });
});

describe('pairs', () => {
  it('times a session, another and the first again, in as many blocks each', async () => {
    const add = (count: number): TestGraph => ({
      nodes: Array.from({ length: count }, (_, i) =>
        node('MatMul', [i === 0 ? 'x' : `v${i}`, 'x'], [i === count - 1 ? 'y' : `v${i + 1}`]),
      ),
      inputs: [{ name: 'x', shape: [64, 64] }],
      outputs: [{ name: 'y', shape: [64, 64] }],
    });
    const load = async (name: string, count: number): Promise<number> =>
      (await host.request('load', { path: folder.write(name, add(count)), options: { threads: 1 } })).session;
    const sessions = [await load('a.onnx', 2), await load('b.onnx', 60), await load('again.onnx', 2)];
    const inputs: ValueSpec[] = [{ name: 'x', dataType: DataType.FLOAT, shape: [64, 64], typeText: 'float[64,64]' }];
    const progress: number[] = [];
    const { blockMediansMs, runs } = await host.request(
      'pairs',
      { sessions, source: seeded, inputs, batchSize: 1, maxMs: 60_000, minBlocks: 6 },
      { onProgress: ({ done }) => progress.push(done) },
    );
    expect(blockMediansMs.map(({ length }) => length)).toEqual([6, 6, 6]);
    expect(runs).toBeGreaterThanOrEqual(6);
    for (const medians of blockMediansMs) expect(Math.min(...medians)).toBeGreaterThan(0);
    expect(progress.at(-1)).toBe(6);
  });
});

describe('processMemory', () => {
  it('is what this process needed at most, not what its parent did', async () => {
    // Makes this process, the parent, larger than a child with ONNX Runtime and a tiny model.
    const ballast = new Uint8Array(400 * 2 ** 20).fill(1);
    const child = await startRuntime();
    try {
      await child.request('probe', { provider: 'cpu' });
      const bare = (await child.request('processMemory', undefined)).peakBytes;
      expect(bare).toBeGreaterThan(20 * 2 ** 20);
      expect(bare).toBeLessThan(ballast.length);
      const { session } = await child.request('load', { path: folder.write('large.onnx', unary('Relu', 1, ['N'])) });
      const inputs: ValueSpec[] = [{ name: 'x', dataType: 1, shape: [8 * 2 ** 20], typeText: 'float[N]' }];
      await child.request('measureStart', { session, source: { ...seeded, count: 1 }, inputs, batchSize: 1 });
      const { peakBytes } = await child.request('processMemory', undefined);
      expect(peakBytes - bare).toBeGreaterThan(32 * 2 ** 20);
    } finally {
      await child.close();
    }
  });
});

describe('versions', () => {
  it('says how long the library took to load', async () => {
    expect((await host.request('versions', undefined)).libraryMs).toBeGreaterThan(0);
  });
});
