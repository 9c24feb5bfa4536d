/** What `bench` makes of models that do not run, run in part, or never end, and of signals. */
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import { parseBudget } from '../../../src/gates/parse-budget.js';
import { benchModels } from '../../../src/workflows/bench/bench-models.js';
import type { ProgressEvent, WorkflowContext } from '../../../src/workflows/options.js';
import { float32, int64 } from '../../helpers/npy.js';
import { npz } from '../../helpers/zip.js';
import { chainText, DIGITS, ENDLESS, modelWriter, only, QUICK } from './models.js';

const { write, folder } = modelWriter();

function data(name: string, arrays: Readonly<Record<string, Uint8Array>>): string {
  const path = join(folder, name);
  writeFileSync(path, npz(arrays));
  return path;
}

/** Runs on one row only. */
const ONE_ROW = `g (float[N, 4] x) => (float[M, 4] y) {
  shape = Constant <value = int64[2] {1, 4}> ()
  y = Reshape (x, shape)
}`;

describe('a model that cannot be measured', () => {
  it.each([
    ['int4 output', 'g (float[4] x) => (int4[4] y) { y = Cast <to = 22> (x) }', 'SO5006'],
    [
      'sequence input',
      'g (seq(float[N]) s) => (float[N] y) { i = Constant <value = int64 {0}> () y = SequenceAt (s, i) }',
      'SO5006',
    ],
    ['bfloat16 input', 'g (bfloat16[4] x) => (float[4] y) { y = Cast <to = 1> (x) }', 'SO5006'],
    [
      'node without kernel',
      'g (float[4] x) => (float[4] y) { b = Cast <to = 16> (x) a = Abs (b) y = Cast <to = 1> (a) }',
      'SO5001',
    ],
    ['node of an impossible type', 'g (int8[4] x) => (int8[4] y) { y = Sin (x) }', 'SO3004'],
    ['unknown operator', 'g (float[4] x) => (float[4] y) { y = Nonsense (x) }', 'SO5001'],
    [
      'run that fails',
      'g (float[4] x) => (float[3] y) { s = Constant <value = int64[1] {3}> () y = Reshape (x, s) }',
      'SO5002',
    ],
  ])('is refused for its %s', async (what, text, code) => {
    const path = await write(`${what}.onnx`, text);
    const failure = await benchModels([path], QUICK).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServeOptError);
    expect(failure).toMatchObject({ code });
    expect(failure).not.toMatchObject({ hint: expect.stringContaining('--no-verify') });
  });

  it('has a hint where only some of the inputs made up for it break it', async () => {
    // The first sample of this seed holds no zero, another does.
    const path = await write(
      'div.onnx',
      'g (uint8[3, 4, 5] x, uint8[3, 4, 5] d) => (uint8[3, 4, 5] y) { y = Div (x, d) }',
    );
    await expect(benchModels([path], QUICK)).rejects.toMatchObject({
      code: 'SO5002',
      message: expect.stringContaining('division by zero'),
      hint: expect.stringContaining('--seed'),
    });
  });

  it('keeps its error beside others that can', async () => {
    const bad = await write('bad.onnx', 'g (float[4] x) => (int4[4] y) { y = Cast <to = 22> (x) }');
    const budgets = ['p50=1000s', 'throughput=0.001/s', 'memory=1GB', 'cold-start=1000s', 'size=1GB'].map(parseBudget);
    const report = await benchModels([bad, DIGITS], { ...QUICK, budgets, maxTimeMs: 100 });
    const [first, second] = report.configurations;
    expect(first).toMatchObject({ label: 'bad.onnx', error: { code: 'SO5006' }, inputs: [] });
    expect(first?.latency).toBeUndefined();
    expect(second?.error).toBeUndefined();
    expect(second?.latency?.runs).toBeGreaterThan(0);
    const ofBad = report.budgets.filter(({ configuration }) => configuration === 'bad.onnx');
    expect(ofBad.map(({ metric, verdict }) => `${metric} ${verdict}`)).toEqual([
      'p50 inconclusive',
      'throughput inconclusive',
      'memory inconclusive',
      'cold-start inconclusive',
      'size pass',
    ]);
  });

  it('for some sizes is measured for the others', async () => {
    const path = await write('row.onnx', ONE_ROW);
    const { configurations } = await benchModels([path], { ...QUICK, batch: [3, 1, 2] });
    expect(configurations.map(({ error, latency }) => [error?.code, latency !== undefined])).toEqual([
      ['SO5002', false],
      [undefined, true],
      ['SO5002', false],
    ]);
    await expect(benchModels([path], { ...QUICK, batch: [3, 2] })).rejects.toMatchObject({ code: 'SO5002' });
  });

  it('offline takes the batches that run', async () => {
    const path = await write('offline.onnx', ONE_ROW);
    expect(only(await benchModels([path], { ...QUICK, scenario: 'offline' })).batchSize).toBe(1);
  });

  it('any more keeps what was measured of it', async () => {
    const path = await write('going.onnx', chainText(2));
    const away = join(folder, 'gone.onnx');
    let moved = false;
    const onProgress = (event: ProgressEvent): void => {
      if (moved || event.kind !== 'advance' || event.stage !== 'measure') return;
      renameSync(path, away);
      moved = true;
    };
    const each = only(await benchModels([path], { durationMs: 100, processes: 3 }, { onProgress }));
    expect(each.error?.code).toMatch(/^SO(2001|5001)$/);
    expect(each.latency?.processes).toHaveLength(1);
    expect(each.coldStart?.starts).toHaveLength(1);
    expect(each.segments).toHaveLength(1);
  });

  it('on a sample in the midst of data tells the error', async () => {
    const path = await write(
      'pick.onnx',
      'g (int64[N] i) => (float[N] y) { w = Constant <value = float[3] {1, 2, 3}> () y = Gather (w, i) }',
    );
    const dataPath = data('bad-index.npz', { i: int64([4, 1], [0, 1, 99, 2]) });
    await expect(benchModels([path], { ...QUICK, dataPath })).rejects.toMatchObject({ code: 'SO5002' });
  });
});

describe('data', () => {
  it.each([
    ['of another width', () => data('wide.npz', { X: float32([2, 65], new Array(130).fill(0)) }), 'SO4002'],
    ['for another input', () => data('other.npz', { Y: float32([2, 64], new Array(128).fill(0)) }), 'SO4002'],
    ['that is not there', () => join(folder, 'absent.npz'), 'SO2001'],
  ] as const)('%s is refused', async (_, make, code) => {
    await expect(benchModels([DIGITS], { ...QUICK, dataPath: make() })).rejects.toMatchObject({ code });
  });

  it('that is no archive is refused', async () => {
    const dataPath = join(folder, 'noise.npz');
    writeFileSync(dataPath, 'no archive at all');
    await expect(benchModels([DIGITS], { ...QUICK, dataPath })).rejects.toMatchObject({
      code: expect.stringMatching(/^SO(4001|2006)$/),
    });
  });
});

describe('a signal', () => {
  let endless = '';
  beforeAll(async () => {
    endless = await write('endless.onnx', ENDLESS);
  });
  const reason = new ServeOptError('SO8143', 'Terminated');

  it('before the start is an error', async () => {
    const signal = AbortSignal.abort(reason);
    await expect(benchModels([DIGITS], QUICK, { signal })).rejects.toMatchObject({
      code: expect.stringMatching(/^SO81(30|43)$/),
    });
  });

  it('ends a run of the model that would never end, with a report of nothing', async () => {
    const controller = new AbortController();
    const onProgress = (event: ProgressEvent): void => {
      // In the midst of the first run of the preparation, or before it.
      if (event.kind === 'start' && event.stage === 'prepare') setTimeout(() => controller.abort(reason), 2000);
    };
    const report = await benchModels([endless], QUICK, { signal: controller.signal, onProgress });
    expect(report.interrupted).toBe(true);
    expect(report.configurations).toEqual([]);
    expect(report.verdict).toBeUndefined();
  });

  /** Aborts at the first event that fits. */
  function abortAt(fits: (event: ProgressEvent) => boolean): WorkflowContext {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      onProgress: (event) => {
        if (fits(event)) controller.abort(reason);
      },
    };
  }

  it('while measuring leaves what was measured, marked as cut short', async () => {
    const budgets = [parseBudget('p99=1000s'), parseBudget('size=1GB')];
    const report = await benchModels(
      [DIGITS],
      { durationMs: 300, processes: 3, budgets },
      abortAt(({ kind }) => kind === 'advance'),
    );
    expect(report.interrupted).toBe(true);
    const each = only(report);
    expect(each.error).toBeUndefined();
    expect(each.latency?.processes).toHaveLength(1);
    expect(each.segments).toHaveLength(1);
    expect(report.budgets.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'pass']);
  });

  it('in the midst of a process keeps the part before it', async () => {
    const atFirst = abortAt(({ kind }) => kind === 'fraction');
    const report = await benchModels([DIGITS], { durationMs: 600_000, processes: 1 }, atFirst);
    expect(report.interrupted).toBe(true);
    const { segments, latency, coldStart, error, memory } = only(report);
    expect(error).toBeUndefined();
    expect(segments).toHaveLength(1);
    expect(latency?.runs).toBeGreaterThan(0);
    expect(coldStart?.starts).toHaveLength(1);
    // It was not asked yet.
    expect(memory).toBeUndefined();
  });

  it('while the baseline is measured leaves the measurements', async () => {
    const report = await benchModels(
      [DIGITS],
      { ...QUICK, baselinePath: DIGITS },
      abortAt((event) => event.kind === 'start' && event.stage === 'compare'),
    );
    expect(report.interrupted).toBe(true);
    expect(only(report).latency?.runs).toBeGreaterThan(0);
    expect(report.regressions).toEqual([]);
  });
});

it('leaves nothing in the temporary folder', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'bench-'));
  vi.stubEnv('TMPDIR', temporary);
  try {
    await benchModels([DIGITS], { ...QUICK, profile: true });
    await expect(benchModels([join(folder, 'absent.onnx')], QUICK)).rejects.toMatchObject({ code: 'SO2001' });
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  }
});
