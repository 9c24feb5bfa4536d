/** What `bench` measures and says of it, with the real ONNX Runtime. Nothing here depends on how fast the machine is. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { ConfigurationReport } from '../../../src/report/bench-types.js';
import { reportJson } from '../../../src/report/json.js';
import { benchModels } from '../../../src/workflows/bench/bench-models.js';
import type { ProgressEvent } from '../../../src/workflows/options.js';
import { dataFolder } from '../../helpers/data-files.js';
import { unicode } from '../../helpers/npy.js';
import { npz } from '../../helpers/zip.js';
import { chainText, DIGITS, DIGITS_DATA, modelWriter, only, QUICK } from './models.js';

const { write, folder } = modelWriter();
const dataFile = dataFolder();

/** What every measured configuration holds, whatever it is. */
function expectMeasured(each: ConfigurationReport, processes: number, streams = 1): void {
  expect(each.error).toBeUndefined();
  const { latency, throughput, coldStart, memory, segments, noise, warmUp } = each;
  if (!latency || !throughput || !coldStart || !memory || !segments || !noise || !warmUp) throw new Error('parts lack');
  expect(latency.runs).toBeGreaterThan(0);
  expect(latency.failures).toBe(0);
  expect(latency.minMs).toBeGreaterThan(0);
  expect(latency.minMs).toBeLessThanOrEqual(latency.meanMs);
  expect(latency.meanMs).toBeLessThanOrEqual(latency.maxMs);
  expect(latency.quantiles.map(({ probability }) => probability)).toEqual([0.5, 0.9, 0.95, 0.99, 0.999]);
  for (const { ms, lowMs, highMs, why } of latency.quantiles) {
    if (ms === undefined) expect(why).toMatch(/needs [\d,]+ runs/);
    else {
      expect(ms).toBeGreaterThanOrEqual(lowMs ?? latency.minMs);
      expect(ms).toBeLessThanOrEqual(highMs ?? latency.maxMs);
    }
  }
  expect(latency.processes).toHaveLength(processes);
  expect(latency.processes.reduce((sum, { runs }) => sum + runs, 0)).toBe(latency.runs);
  expect(segments).toHaveLength(processes * streams);
  for (const { startMs, latencyMs, every } of segments) {
    expect(every).toBeGreaterThanOrEqual(1);
    expect(startMs).toHaveLength(latencyMs.length);
    expect(startMs.length).toBeGreaterThan(0);
    expect([...startMs].sort((a, b) => a - b)).toEqual(startMs);
    expect(latencyMs.every((ms) => ms > 0)).toBe(true);
  }
  if (segments.every(({ every }) => every === 1))
    expect(segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0)).toBe(latency.runs);
  expect(coldStart.starts).toHaveLength(processes);
  for (const { processMs, libraryMs, sessionMs, firstRunMs, totalMs } of coldStart.starts) {
    for (const part of [processMs, libraryMs, sessionMs, firstRunMs]) expect(part).toBeGreaterThan(0);
    expect(processMs + libraryMs + sessionMs + firstRunMs).toBeCloseTo(totalMs, 6);
  }
  expect(throughput.value).toBeGreaterThan(0);
  expect(memory.peakBytes).toBeGreaterThan(10e6);
  expect(memory.modelBytes).toBe(Math.max(0, memory.peakBytes - memory.bareBytes - (memory.samplesBytes ?? 0)));
  expect(noise.cpuPerWall).toBeGreaterThan(0);
  expect(warmUp.runs).toBeGreaterThan(0);
}

describe('a model', () => {
  it('is measured in fresh processes, and everything about it is told', async () => {
    const events: ProgressEvent[] = [];
    const report = await benchModels(
      [DIGITS],
      { durationMs: 100, processes: 2, seed: 3 },
      { onProgress: (event) => events.push(event) },
    );
    expect(report).toMatchObject({
      schemaVersion: 2,
      command: 'bench',
      subject: 'models',
      scenario: { kind: 'single-stream' },
      seed: 3,
      source: 'synthetic',
      budgets: [],
      regressions: [],
    });
    expect(report.onnxRuntimeVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.verdict).toBeUndefined();
    expect(report.interrupted).toBeUndefined();
    expect(report.suggestion).toBeUndefined();
    const { environment } = report;
    expect(environment.cpuModel).not.toBe('');
    expect(environment.availableParallelism).toBeGreaterThan(0);
    const each = only(report);
    expectMeasured(each, 2);
    expect(each).toMatchObject({
      label: 'model.onnx',
      model: { name: 'model.onnx', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      executionProviders: ['cpu'],
      threads: environment.availableParallelism,
      batchSize: 1,
      dims: [{ name: 'X:0', size: 1 }],
      inputs: [{ name: 'X', type: 'float[1,64]' }],
    });
    expect(each.pareto).toBeUndefined();
    expect(each.profile).toBeUndefined();
    const stages = events.flatMap((event) => ('stage' in event ? [`${event.kind} ${event.stage}`] : []));
    expect(stages.filter((text) => !/^(advance|fraction)/.test(text))).toEqual([
      'start read',
      'end read',
      'start prepare',
      'end prepare',
      'start measure',
      'end measure',
    ]);
    const done = events.flatMap((event) => (event.kind === 'advance' ? [`${event.done}/${event.total}`] : []));
    expect(done).toEqual(['1/2', '2/2']);
    const fractions = events.flatMap((event) => (event.kind === 'fraction' ? [event.fraction] : []));
    expect(fractions.at(-1)).toBe(1);
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
    expect(() => JSON.parse(reportJson(report))).not.toThrow();
  });

  it('is measured with threads as told, and profiled when asked', async () => {
    const each = only(await benchModels([DIGITS], { ...QUICK, threads: [1], profile: true }));
    expectMeasured(each, 1);
    expect(each.threads).toBe(1);
    expect(each.providersUsed?.map(({ provider }) => provider)).toEqual(['CPUExecutionProvider']);
    const { operators = [], nodes = [], runs = 0 } = each.profile ?? {};
    expect(runs).toBeGreaterThan(0);
    expect(operators.map(({ opType }) => opType)).toContain('MatMul');
    expect(operators.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);
    expect(nodes.length).toBeGreaterThanOrEqual(operators.length);
  });

  it('says when more threads are asked for than there are CPUs', async () => {
    const threads = availableParallelism() + 1;
    const { warnings } = await benchModels([DIGITS], { ...QUICK, threads: [threads] });
    expect(warnings.join('\n')).toContain(`${threads} threads are more than`);
  });

  it('is fed with samples of a data set, one by one and stacked', async () => {
    const report = await benchModels([DIGITS], { ...QUICK, dataPath: DIGITS_DATA, batch: [1, 3] });
    expect(report.source).toBe('calib.npz');
    expect(report.configurations.map(({ inputs }) => inputs)).toEqual([
      [{ name: 'X', type: 'float[1,64]' }],
      [{ name: 'X', type: 'float[3,64]' }],
    ]);
    for (const each of report.configurations) expectMeasured(each, 1);
    expect(report.configurations.map(({ batchSize }) => batchSize)).toEqual([1, 3]);
  });

  it('may take strings, or nothing at all', async () => {
    const text = await write('text.onnx', 'g (string[N] words) => (string[N] same) { same = Identity (words) }');
    expectMeasured(only(await benchModels([text], QUICK)), 1);
    const dataPath = dataFile('words.npz', npz({ words: unicode([3, 2], ['a', 'bb', 'c', '', 'ü', 'f']) }));
    const fed = only(await benchModels([text], { ...QUICK, dataPath }));
    expect(fed.inputs[0]?.type).toMatch(/^string\[/);
    const none = await write('none.onnx', 'g () => (float[2] y) { y = Constant <value = float[2] {1, 2}> () }');
    const each = only(await benchModels([none], QUICK));
    expectMeasured(each, 1);
    expect(each).toMatchObject({ inputs: [], dims: [], batchSize: 1 });
  });

  it('is measured on the CPU when an empty list is given', async () => {
    const each = only(await benchModels([DIGITS], { ...QUICK, executionProviders: [], threads: [], batch: [] }));
    expect(each.executionProviders).toEqual(['cpu']);
  });

  it('must be given', async () => {
    await expect(benchModels([], QUICK)).rejects.toMatchObject({ code: 'SO1001' });
  });

  it('may have a name that only looks like a path or an option', async () => {
    const path = await write('a b=1,2 "ü".onnx', chainText(1));
    expect(only(await benchModels([path], QUICK)).label).toBe('a b=1,2 "ü".onnx');
    expect(folder).not.toBe('');
  });
});

describe('sizes', () => {
  it('are set by name, by place, and where they stand in expressions', async () => {
    const path = await write(
      'sizes.onnx',
      'g (float[batch, seq] x, float[?, 2] z) => (float[batch, seq] y, float[?, 2] w) { y = Erf (x) w = Erf (z) }',
    );
    const dims = new Map([
      ['batch', [2]],
      ['seq', [5]],
      ['z:0', [7]],
    ]);
    const each = only(await benchModels([path], { ...QUICK, dims }));
    expectMeasured(each, 1);
    expect(each.inputs.map(({ type }) => type)).toEqual(['float[2,5]', 'float[7,2]']);
    expect(each.dims).toEqual([
      { name: 'batch', size: 2 },
      { name: 'seq', size: 5 },
      { name: 'z:0', size: 7 },
    ]);
    expect(each.batchSize).toBe(2);
  });

  it('of an expression follow from those of its names', async () => {
    const path = await write(
      'past.onnx',
      'g (float[past] x, float["past + 1"] z) => (float[past] y, float["past + 1"] w) { y = Erf (x) w = Erf (z) }',
    );
    const each = only(await benchModels([path], { ...QUICK, dims: new Map([['past', [6]]]) }));
    expect(each.inputs.map(({ type }) => type)).toEqual(['float[6]', 'float[7]']);
  });

  it.each([
    ['a name that is not there', new Map([['btach', [2]]]), 'SO1006'],
    ['a size below 1', new Map([['N', [0]]]), 'SO1006'],
    ['another size than the fixed one', new Map([['x:1', [2]]]), 'SO4002'],
  ])('are refused for %s', async (_, dims, code) => {
    const path = await write('four.onnx', chainText(1));
    await expect(benchModels([path], { ...QUICK, dims })).rejects.toMatchObject({ code });
  });
});

describe('a sweep', () => {
  it('names what differs, marks the front and suggests one', async () => {
    const path = await write('sweep.onnx', chainText(3));
    const report = await benchModels([path], { ...QUICK, threads: [1, 2], batch: [1, 4] });
    expect(report.configurations.map(({ label }) => label)).toEqual([
      '1 thread batch=1',
      '1 thread batch=4',
      '2 threads batch=1',
      '2 threads batch=4',
    ]);
    for (const each of report.configurations) {
      expectMeasured(each, 1);
      expect(typeof each.pareto).toBe('boolean');
    }
    const front = report.configurations.filter(({ pareto }) => pareto).map(({ label }) => label);
    expect(front.length).toBeGreaterThan(0);
    expect(report.configurations.map(({ label }) => label)).toContain(report.suggestion?.configuration);
  });

  it('of several models tells them apart and suggests none of them', async () => {
    const other = await write('model.onnx', chainText(2));
    const report = await benchModels([DIGITS, other], QUICK);
    expect(report.configurations.map(({ label }) => label)).toEqual(['model.onnx (1)', 'model.onnx (2)']);
    expect(report.suggestion).toBeUndefined();
    for (const each of report.configurations) expectMeasured(each, 1);
  });
});

describe('a scenario', () => {
  it('offline finds a batch size', async () => {
    const path = await write('offline.onnx', chainText(4));
    const report = await benchModels([path], { ...QUICK, scenario: 'offline' });
    const each = only(report);
    expectMeasured(each, 1);
    expect([1, 2, 4, 8, 16, 32, 64]).toContain(each.batchSize);
    expect(each.inputs[0]?.type).toBe(`float[${each.batchSize},4]`);
    expect(report.notes.join('\n')).toContain(`Batch size ${each.batchSize} `);
  });

  it('offline takes the batch it was told', async () => {
    const path = await write('told.onnx', chainText(4));
    const report = await benchModels([path], { ...QUICK, scenario: 'offline', batch: [3] });
    expect(only(report).batchSize).toBe(3);
    expect(report.notes).toEqual([]);
  });

  it.each(['poisson', 'constant'] as const)('server sends requests at their own times: %s', async (arrivals) => {
    const report = await benchModels([DIGITS], {
      durationMs: 300,
      processes: 1,
      scenario: 'server',
      rate: 200,
      arrivals,
    });
    expect(report.scenario).toEqual({ kind: 'server', ratePerSecond: 200, arrivals });
    expectMeasured(only(report), 1);
  });

  it('server says when requests come faster than answers can', async () => {
    const path = await write('late.onnx', chainText(50));
    const options = { scenario: 'server', rate: 100_000, batch: [2000] } as const;
    const { warnings } = await benchModels([path], { ...QUICK, ...options });
    expect(warnings.join('\n')).toContain('late');
  });

  it('multi-stream has a limit, as each stream is a process', async () => {
    const options = { ...QUICK, scenario: 'multi-stream', streams: 100_000 } as const;
    await expect(benchModels([DIGITS], options)).rejects.toMatchObject({ code: 'SO1006' });
  });

  it('server needs a rate', async () => {
    await expect(benchModels([DIGITS], { ...QUICK, scenario: 'server' })).rejects.toMatchObject({ code: 'SO1002' });
  });

  it('multi-stream measures several processes at once', async () => {
    const report = await benchModels([DIGITS], { ...QUICK, scenario: 'multi-stream', streams: 2, threads: [1] });
    const each = only(report);
    expectMeasured(each, 1, 2);
    expect(each.segments?.map(({ round, stream }) => [round, stream])).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it('multi-stream counts the threads of all its processes', async () => {
    const streams = availableParallelism() + 1;
    const { warnings } = await benchModels([DIGITS], { ...QUICK, scenario: 'multi-stream', streams, threads: [1] });
    expect(warnings.join()).toContain(`${streams} streams of 1 thread each are more than`);
  });
});
