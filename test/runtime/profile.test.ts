import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import type { ProfileReport } from '../../src/runtime/profile.js';
import { readProfile } from '../../src/runtime/profile-reader.js';
import { parseProviderChoice } from '../../src/runtime/provider-choice.js';
import { proveProviders } from '../../src/runtime/provider-proof.js';
import { resolveProviders } from '../../src/runtime/resolve-providers.js';
import type { ExecutionProvider } from '../../src/runtime/types.js';
import type { SampleSource, ValueSpec } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';
import { skipWhere } from '../helpers/skip-where.js';
import { graphAttribute, intAttribute, modelFolder, node, type TestGraph } from './models.js';
import { providerSupport, type Support, webgpuSupport } from './provider-support.js';

const webgpu: Support = await webgpuSupport();
const cuda: Support = await providerSupport('cuda');

const folder = modelFolder();
let host: RuntimeHost;

beforeAll(async () => {
  host = await startRuntime();
});
afterAll(async () => {
  await host.close();
  rmSync(folder.path, { recursive: true });
});

const inputs: ValueSpec[] = [{ name: 'x', dataType: DataType.FLOAT, shape: ['N', 8], typeText: 'float[N,8]' }];
const source: SampleSource = { kind: 'seeded', seed: 1, count: 8 };

/** Relu, Mul, and Hardmax, which WebGPU has no kernel for. */
function graph(
  withHardmax: boolean,
  names: readonly [string, string, string] = ['relu', 'product', 'hard'],
): TestGraph {
  return {
    nodes: [
      { ...node('Relu', ['x'], ['a']), name: names[0] },
      { ...node('Mul', ['a', 'x'], ['b']), name: names[1] },
      ...(withHardmax ? [{ ...node('Hardmax', ['b'], ['y']), name: names[2] }] : []),
    ],
    inputs: [{ name: 'x', shape: ['N', 8] }],
    outputs: [{ name: withHardmax ? 'y' : 'b', shape: ['N', 8] }],
  };
}

function profile(path: string, providers: readonly ExecutionProvider[] = ['cpu'], runs = 5): Promise<ProfileReport> {
  return host.request('profile', {
    path,
    options: { executionProviders: providers, threads: 1 },
    source,
    inputs,
    batchSize: 1,
    folder: mkdtempSync(join(folder.path, 'profile-')),
    runs,
    maxMs: 60_000,
  });
}

describe('profile', () => {
  it('counts each node once, by provider and operator, and shares its time', async () => {
    const report = await profile(folder.write('three.onnx', graph(true)));
    expect(report.runs).toBe(5);
    expect(report.providers).toEqual([{ provider: 'CPUExecutionProvider', nodes: 3, kernelMs: expect.any(Number) }]);
    expect(report.operators.map(({ opType, nodes }) => [opType, nodes]).sort()).toEqual([
      ['Hardmax', 1],
      ['Mul', 1],
      ['Relu', 1],
    ]);
    expect(report.nodes.map(({ name }) => name).sort()).toEqual(['hard', 'product', 'relu']);
    for (const list of [report.operators, report.nodes]) {
      const total = list.reduce((sum, { share }) => sum + share, 0);
      expect(total === 0 || Math.abs(total - 1) < 1e-9).toBe(true);
    }
  });

  it('takes names that are no JSON as they are, and no name for a provider', async () => {
    const names = ['quo"te\\', 'new\nline "provider" : "CUDAExecutionProvider"', '__proto__'] as const;
    const report = await profile(folder.write('names.onnx', graph(true, names)));
    expect(report.nodes.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(report.providers.map(({ provider }) => provider)).toEqual(['CPUExecutionProvider']);
  });

  it('counts nodes of subgraphs once, however often a loop runs them, and a loop without them', async () => {
    const body: TestGraph = {
      nodes: [{ ...node('Sin', ['state_in'], ['state_out']), name: 'wave' }, node('Identity', ['go_in'], ['go_out'])],
      inputs: [
        { name: 'step', type: DataType.INT64, shape: [] },
        { name: 'go_in', type: DataType.BOOL, shape: [] },
        { name: 'state_in', shape: ['N', 8] },
      ],
      outputs: [
        { name: 'go_out', type: DataType.BOOL, shape: [] },
        { name: 'state_out', shape: ['N', 8] },
      ],
    };
    const loop: TestGraph = {
      nodes: [{ ...node('Loop', ['n', '', 'x'], ['y'], [graphAttribute('body', body)]), name: 'loop' }],
      inputs: [{ name: 'x', shape: ['N', 8] }],
      outputs: [{ name: 'y', shape: ['N', 8] }],
      initializers: [{ name: 'n', dims: [], dataType: DataType.INT64, int64Data: [50] }],
    };
    const report = await profile(folder.write('loop.onnx', loop));
    expect(report.nodes.filter(({ name }) => name === 'wave')).toHaveLength(1);
    expect(report.nodes.filter(({ name }) => name === 'loop')).toHaveLength(1);
    expect(report.nodes.reduce((sum, { share }) => sum + share, 0)).toBeLessThan(1 + 1e-9);
  });

  it('refuses a model as loading it would', async () => {
    const request = profile(join(folder.path, 'not-there.onnx'));
    await expect(request).rejects.toMatchObject({ code: 'SO5001' });
  });
});

/** An event as ONNX Runtime writes it. */
function event(name: string, ts: number, dur: number, args: Record<string, string> = {}, category = 'Node'): string {
  const text = Object.entries(args).map(([key, value]) => `"${key}" : "${value}"`);
  return `{"cat" : "${category}","pid" :1,"tid" :1,"dur" :${dur},"ts" :${ts},"ph" : "X","name" :"${name}","args" : {${text.join(',')}}}`;
}

const kernel = (name: string, op: string, ts: number, dur: number, provider = 'CPUExecutionProvider'): string =>
  event(`${name}_kernel_time`, ts, dur, { op_name: op, provider, node_index: '0' });
const runEnd = (ts: number, dur: number): string => event('model_run', ts, dur, {}, 'Session');

async function read(events: readonly string[], warmUpRuns = 0): Promise<ProfileReport> {
  const path = join(mkdtempSync(join(folder.path, 'written-')), 'profile.json');
  writeFileSync(path, `[\n${events.join(',\n')}\n]\n`);
  return readProfile(path, { warmUpRuns });
}

describe('readProfile', () => {
  it('leaves warm-up runs out, fences too, and means time by run', async () => {
    const report = await read(
      [
        event('model_loading_uri', 0, 5000, {}, 'Session'),
        kernel('a', 'Conv', 100, 900_000),
        runEnd(100, 900_000),
        event('a_fence_before', 1_000_000, 7, { op_name: 'Conv' }),
        kernel('a', 'Conv', 1_000_000, 3000, 'CUDAExecutionProvider'),
        kernel('b', 'Relu', 1_003_000, 1000),
        runEnd(1_000_000, 5000),
        kernel('a', 'Conv', 2_000_000, 5000, 'CUDAExecutionProvider'),
        kernel('b', 'Relu', 2_005_000, 1000),
        runEnd(2_000_000, 7000),
        kernel('a', 'Conv', 3_000_000, 700_000, 'CUDAExecutionProvider'),
      ],
      1,
    );
    expect(report).toEqual({
      runs: 2,
      providers: [
        { provider: 'CUDAExecutionProvider', nodes: 1, kernelMs: 4 },
        { provider: 'CPUExecutionProvider', nodes: 1, kernelMs: 1 },
      ],
      operators: [
        { opType: 'Conv', provider: 'CUDAExecutionProvider', nodes: 1, msPerRun: 4, share: 0.8 },
        { opType: 'Relu', provider: 'CPUExecutionProvider', nodes: 1, msPerRun: 1, share: 0.2 },
      ],
      nodes: [
        { name: 'a', opType: 'Conv', provider: 'CUDAExecutionProvider', msPerRun: 4, share: 0.8 },
        { name: 'b', opType: 'Relu', provider: 'CPUExecutionProvider', msPerRun: 1, share: 0.2 },
      ],
    });
  });

  it('takes the time of subgraphs from what holds them, through two levels', async () => {
    const report = await read([
      kernel('before', 'Relu', 0, 1000),
      kernel('inner', 'Sin', 1100, 1000),
      kernel('inner', 'Sin', 2200, 1000),
      kernel('if', 'If', 1050, 2300),
      kernel('loop', 'Loop', 1000, 3000),
      runEnd(0, 4000),
    ]);
    const times = new Map(report.nodes.map(({ name, msPerRun }) => [name, msPerRun]));
    expect(Object.fromEntries(times)).toEqual({ before: 1, inner: 2, if: 0.3, loop: 0.7 });
  });

  it('does not give a control-flow node the time that writing events of its subgraph took', async () => {
    const report = await read([
      kernel('inner', 'Sin', 1100, 100),
      kernel('inner 2', 'Sin', 1700, 100),
      event('SequentialExecutor::Execute', 1050, 900, {}, 'Session'),
      kernel('if', 'If', 1000, 1000),
      event('SequentialExecutor::Execute', 990, 1020, {}, 'Session'),
      runEnd(980, 1040),
    ]);
    expect(report.nodes.map(({ name, msPerRun }) => [name, msPerRun])).toEqual([
      ['inner', 0.1],
      ['inner 2', 0.1],
      ['if', 0.1],
    ]);
  });

  it('reads a long file piece by piece', async () => {
    const events: string[] = [];
    for (let run = 0; run < 40; run++) {
      for (let i = 0; i < 500; i++) events.push(kernel(`node ${i} ${'é'.repeat(60)}`, 'Add', run * 1e6 + i * 10, 10));
      events.push(runEnd(run * 1e6, 5000));
    }
    const report = await read(events);
    expect(report.runs).toBe(40);
    expect(report.providers).toEqual([{ provider: 'CPUExecutionProvider', nodes: 500, kernelMs: 5 }]);
    expect(report.nodes).toHaveLength(50);
  });

  it('takes a run that has no end where there is no other: ONNX Runtime stops at a million events', async () => {
    const report = await read([kernel('a', 'Conv', 0, 1000), kernel('b', 'Relu', 1000, 1000)]);
    expect(report).toMatchObject({ runs: 1, providers: [{ nodes: 2, kernelMs: 2 }] });
  });

  it('is empty for an empty or damaged file', async () => {
    expect(await read([])).toEqual({ runs: 0, providers: [], operators: [], nodes: [] });
    expect((await read(['{"cat" : "Node","pid" :1', 'nonsense'])).runs).toBe(0);
  });
});

describe('WebGPU', () => {
  const whereItWorks = skipWhere(!webgpu.works, webgpu.reason);

  whereItWorks.it('is proved to have run a model that it has kernels for', async () => {
    const { providers } = await resolveProviders(parseProviderChoice('webgpu:preferredLayout=NHWC'));
    const report = await profile(folder.write('two.onnx', graph(false)), providers);
    expect(report.providers).toMatchObject([{ provider: 'WebGpuExecutionProvider', nodes: 2 }]);
    expect(proveProviders(report, providers)).toEqual([]);
  });

  whereItWorks.it('is told to have left to the CPU what it has no kernel for', async () => {
    const report = await profile(folder.write('three.onnx', graph(true)), ['webgpu']);
    expect(proveProviders(report, ['webgpu'])).toEqual(['1 of 3 nodes did not run on WebGPU: the CPU (1) (Hardmax)']);
  });

  whereItWorks.it('is refused where it ran none', async () => {
    const path = folder.write('int.onnx', {
      nodes: [node('CumSum', ['x', 'axis'], ['y'], [intAttribute('reverse', 1)])],
      inputs: [{ name: 'x', type: DataType.DOUBLE, shape: ['N', 8] }],
      outputs: [{ name: 'y', type: DataType.DOUBLE, shape: ['N', 8] }],
      initializers: [{ name: 'axis', dims: [], dataType: DataType.INT64, int64Data: [1] }],
    });
    const report = await host.request('profile', {
      path,
      options: { executionProviders: ['webgpu'] },
      source,
      inputs: [{ name: 'x', dataType: DataType.DOUBLE, shape: ['N', 8], typeText: 'double[N,8]' }],
      batchSize: 1,
      folder: mkdtempSync(join(folder.path, 'profile-')),
      runs: 2,
      maxMs: 60_000,
    });
    expect(() => proveProviders(report, ['webgpu'])).toThrow('accepted webgpu but ran none of 1 node there');
  });

  whereItWorks.it('leaves nodes to the CPU that an option names', async () => {
    const choice = parseProviderChoice('webgpu:forceCpuNodeNames=relu');
    const report = await profile(folder.write('two.onnx', graph(false)), choice.providers);
    expect(proveProviders(report, choice.providers)).toEqual([
      '1 of 2 nodes did not run on WebGPU: the CPU (1) (Relu)',
    ]);
  });
});

describe('CUDA', () => {
  skipWhere(!cuda.works, cuda.reason).it('is proved to have run a model', async () => {
    const { providers } = await resolveProviders(parseProviderChoice('cuda:0'));
    const report = await profile(folder.write('two.onnx', graph(false)), providers);
    expect(report.providers.map(({ provider }) => provider)).toContain('CUDAExecutionProvider');
    expect(proveProviders(report, providers)).toEqual([]);
  });

  skipWhere(cuda.works, 'CUDA works here').it(
    'is refused with cause and fix where it does not work, in the exit code too',
    async () => {
      await expect(resolveProviders(parseProviderChoice('cuda'))).rejects.toMatchObject({
        code: 'SO5005',
        exitCode: 6,
        message: expect.stringMatching(/^CUDA does not work here: ./),
      });
    },
  );
});
