import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import type { JobProgress } from '../../src/runtime/job.js';
import { probeProvider } from '../../src/runtime/providers.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { SampleSource, ValueSpec } from '../../src/samples/types.js';
import { DataType, type DataTypeCode } from '../../src/tensor/dtype.js';
import { minMax } from '../../src/tensor/statistics.js';
import { scaled } from '../helpers/limits.js';
import { intAttribute, modelFolder, node, type TestGraph, unary } from './models.js';

const folder = modelFolder();
let host: RuntimeHost;

beforeAll(async () => {
  host = await startRuntime();
});
afterAll(async () => {
  await host.close();
  rmSync(folder.path, { recursive: true });
});

const spec = (dataType: DataTypeCode = DataType.FLOAT): ValueSpec => ({
  name: 'x',
  dataType,
  shape: ['N', 40],
  typeText: 'float[N,40]',
});
const seeded = (count: number): SampleSource => ({ kind: 'seeded', seed: 3, count });

/** y = -x, with the reductions of both. */
function augmented(): TestGraph {
  const keepdims = [intAttribute('keepdims', 0)];
  return {
    nodes: [
      node('Neg', ['x'], ['y']),
      node('ReduceMin', ['x'], ['x_min'], keepdims),
      node('ReduceMax', ['x'], ['x_max'], keepdims),
      node('ReduceMin', ['y'], ['y_min'], keepdims),
      node('ReduceMax', ['y'], ['y_max'], keepdims),
    ],
    inputs: [{ name: 'x', shape: ['N', 40] }],
    outputs: ['y', 'x_min', 'x_max', 'y_min', 'y_max'].map((name) => ({ name })),
  };
}

const observed = ['x', 'y'].map((tensor) => ({ tensor, minOutput: `${tensor}_min`, maxOutput: `${tensor}_max` }));

function expectedRange(samples: number): { min: number; max: number } {
  const reader = seededReader(3, samples, [spec()]);
  const values: number[] = [];
  for (let i = 0; i < samples; i++) {
    const feeds = reader.read(i, 1);
    if (feeds instanceof Promise) throw new Error('seeded samples are made synchronously');
    for (const v of feeds.get('x')?.data ?? []) values.push(Number(v));
  }
  const { min, max } = minMax(Float64Array.from(values));
  return { min, max };
}

describe('ranges', () => {
  it('finds the global minimum and maximum of every tensor over all samples, and tells how far it is', async () => {
    const { session } = await host.request('load', { path: folder.write('augmented.onnx', augmented()) });
    const progress: JobProgress[] = [];
    const result = await host.request(
      'ranges',
      { session, source: seeded(20), inputs: [spec()], batchSize: 8, observed },
      { onProgress: (p) => progress.push(p) },
    );
    const { min, max } = expectedRange(20);
    expect(result.samples).toBe(20);
    expect([...result.ranges]).toEqual([
      ['x', { min, max }],
      ['y', { min: -max, max: -min }],
    ]);
    expect(result.nonFinite.size).toBe(0);
    expect(result.unobserved).toEqual([]);
    expect(progress.at(-1)).toEqual({ done: 20, total: 20 });
  });

  it('gives the same ranges when whole tensors are fetched and reduced in the child', async () => {
    const { session } = await host.request('load', { path: folder.write('augmented.onnx', augmented()) });
    const source = seeded(5);
    const whole = await host.request('valueRanges', {
      session,
      source,
      inputs: [spec()],
      batchSize: 1,
      observed: ['y'],
    });
    const reduced = await host.request('ranges', { session, source, inputs: [spec()], batchSize: 1, observed });
    expect(whole.ranges.get('y')).toEqual(reduced.ranges.get('y'));
  });

  it('counts NaN and infinite values, leaves them out of the range, and names tensors that have nothing else', async () => {
    const graph: TestGraph = {
      nodes: [
        node('Log', ['x'], ['logarithm']),
        node('Sub', ['x', 'x'], ['zero']),
        node('Div', ['zero', 'zero'], ['nan']),
      ],
      inputs: [{ name: 'x', shape: ['N', 40] }],
      outputs: [{ name: 'logarithm' }, { name: 'nan' }],
    };
    const { session } = await host.request('load', { path: folder.write('non-finite.onnx', graph) });
    const result = await host.request('valueRanges', {
      session,
      source: seeded(1),
      inputs: [spec()],
      batchSize: 1,
      observed: ['logarithm', 'nan'],
    });
    expect(result.nonFinite.get('nan')).toBe(40);
    expect(result.nonFinite.get('logarithm')).toBeGreaterThan(5);
    expect(result.ranges.get('logarithm')?.max).toBeLessThan(2);
    expect(result.unobserved).toEqual(['nan']);
  });

  it('takes float16 and double tensors', async () => {
    for (const type of [DataType.FLOAT16, DataType.DOUBLE]) {
      const path = folder.write(`relu-${type}.onnx`, unary('Relu', type, ['N', 40]));
      const { session } = await host.request('load', { path });
      const params = { session, source: seeded(2), inputs: [spec(type)], batchSize: 1, observed: ['y'] };
      const { ranges } = await host.request('valueRanges', params);
      expect(ranges.get('y')?.min).toBe(0);
      expect(ranges.get('y')?.max).toBeGreaterThan(1);
    }
  });

  it('skips a tensor without elements', async () => {
    const { session } = await host.request('load', { path: folder.write('augmented.onnx', augmented()) });
    const inputs = [{ ...spec(), shape: [0, 40] }];
    const result = await host.request('ranges', { session, source: seeded(1), inputs, batchSize: 1, observed });
    expect(result.unobserved).toEqual(['x', 'y']);
    expect(result.nonFinite.size).toBe(0);
  });
});

describe('fitSeeds', () => {
  const open: ValueSpec = {
    name: 'x',
    dataType: DataType.FLOAT,
    shape: [undefined, undefined],
    typeText: 'float[?,?]',
  };

  it('takes the plain sizes where the model accepts them', async () => {
    const path = folder.write('open.onnx', unary('Relu', DataType.FLOAT, [undefined, undefined]));
    const { session } = await host.request('load', { path });
    expect(await host.request('fitSeeds', { session, inputs: [open], seed: 1 })).toEqual({ plan: { sizes: 0 } });
  });

  it('finds sizes for a model that wants rows of a length that it does not declare', async () => {
    const other = {
      name: 'other',
      dims: [1, 512],
      dataType: DataType.FLOAT,
      floatData: new Array<number>(512).fill(1),
    };
    const graph: TestGraph = {
      nodes: [node('Add', ['x', 'other'], ['y'])],
      inputs: [{ name: 'x', shape: [undefined, undefined] }],
      outputs: [{ name: 'y' }],
      initializers: [other],
    };
    const { session } = await host.request('load', { path: folder.write('choosy.onnx', graph) });
    const { plan } = await host.request('fitSeeds', { session, inputs: [open], seed: 1 });
    expect(plan?.sizes).toBeGreaterThan(0);
    const source: SampleSource = { kind: 'seeded', seed: 1, count: 6, ...(plan === undefined ? {} : { plan }) };
    const params = { session, source, inputs: [open], batchSize: 1, observed: ['y'] };
    expect((await host.request('valueRanges', params)).samples).toBe(6);
  });

  it('says what ONNX Runtime said when the model accepts no sizes', async () => {
    const other = { name: 'other', dims: [1, 7], dataType: DataType.FLOAT, floatData: new Array<number>(7).fill(1) };
    const graph: TestGraph = {
      nodes: [node('Concat', ['x', 'other'], ['y'], [intAttribute('axis', 0)])],
      inputs: [{ name: 'x', shape: [undefined, undefined] }],
      outputs: [{ name: 'y' }],
      initializers: [other],
    };
    const { session } = await host.request('load', { path: folder.write('impossible.onnx', graph) });
    const result = await host.request('fitSeeds', { session, inputs: [open], seed: 1 });
    expect(result.plan).toBeUndefined();
    expect(result.why).toContain('Concat');
  });
});

describe('latency', () => {
  it('times two sessions in turns and gives the ratio with its interval', async () => {
    const path = folder.write('relu.onnx', unary('Relu', DataType.FLOAT, ['N', 40]));
    const a = await host.request('load', { path });
    const b = await host.request('load', { path });
    const result = await host.request('latency', {
      sessions: [a.session, b.session],
      source: seeded(4),
      inputs: [spec()],
      minRuns: 30,
      maxMs: scaled(3000),
    });
    for (const latency of result.latencies) {
      expect(latency.runs).toBeGreaterThanOrEqual(30);
      expect(latency.warmUpRuns).toBeGreaterThanOrEqual(3);
      expect(latency.p50Ms).toBeGreaterThan(0);
      expect(latency.p90Ms).toBeGreaterThanOrEqual(latency.p50Ms);
    }
    expect(result.latencies).toHaveLength(2);
    expect(result.ratio?.pairs).toBeGreaterThanOrEqual(8);
    expect(result.ratio?.low).toBeLessThanOrEqual(result.ratio?.median ?? 0);
    expect(result.ratio?.high).toBeGreaterThanOrEqual(result.ratio?.median ?? 0);
  });

  it('times one session without a ratio, and stops when the time is up', async () => {
    const path = folder.write('relu.onnx', unary('Relu', DataType.FLOAT, ['N', 40]));
    const { session } = await host.request('load', { path });
    const params = { source: seeded(1), inputs: [spec()], minRuns: 10_000_000, maxMs: 200 };
    const result = await host.request('latency', { ...params, sessions: [session] });
    expect(result.latencies).toHaveLength(1);
    expect(result.ratio).toBeUndefined();
  });
});

describe('probe', () => {
  it('finds that the CPU works', async () => {
    expect(await probeProvider('cpu')).toEqual({ provider: 'cpu', works: true });
  });

  it('says why a provider does not work, on one line', async () => {
    const result = await probeProvider('no-such-provider');
    expect(result).toMatchObject({ works: false, why: expect.stringContaining('backend not found') });
    expect(result.why).not.toContain('\n');
  });
});
