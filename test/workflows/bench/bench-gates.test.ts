/** Budgets and baselines of `bench`, with limits that no machine can miss or meet. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseBudget } from '../../../src/gates/parse-budget.js';
import type { BenchReport } from '../../../src/report/bench-types.js';
import { reportJson } from '../../../src/report/json.js';
import { benchModels } from '../../../src/workflows/bench/bench-models.js';
import type { BenchOptions, ProgressEvent } from '../../../src/workflows/options.js';
import { scaled } from '../../helpers/limits.js';
import { chainText, DIGITS, modelWriter, only, QUICK } from './models.js';

const { write, folder } = modelWriter();

/** Enough fresh processes for every kind of budget. */
const FIVE = { durationMs: 100, processes: 5, maxTimeMs: scaled(40_000) } as const satisfies BenchOptions;

function verdicts({ budgets }: BenchReport): Record<string, string> {
  return Object.fromEntries(budgets.map(({ metric, verdict }) => [metric, verdict]));
}

describe('budgets', () => {
  it('that cannot be missed pass, each with its figure', async () => {
    const texts = ['p50=1000s', 'p90=1000s', 'throughput=0.001/s', 'size=1GB', 'memory=1000GB', 'cold-start=1000s'];
    const report = await benchModels([DIGITS], { ...FIVE, budgets: [...texts, 'failures=0%'].map(parseBudget) });
    expect(verdicts(report)).toEqual({
      p50: 'pass',
      p90: 'pass',
      throughput: 'pass',
      size: 'pass',
      memory: 'pass',
      'cold-start': 'pass',
      failures: 'pass',
    });
    expect(report.verdict).toBe('pass');
    for (const { why, measured, configuration, limit } of report.budgets) {
      expect(why).not.toBe('');
      expect(measured).toBeGreaterThanOrEqual(0);
      expect(configuration).toBe(only(report).label);
      expect(limit).toBeGreaterThanOrEqual(0);
    }
    const { latency, throughput, coldStart, memory } = only(report);
    const measured = Object.fromEntries(report.budgets.map((each) => [each.metric, each.measured]));
    expect(measured.p50).toBe(latency?.quantiles.find(({ probability }) => probability === 0.5)?.ms);
    expect(measured.throughput).toBe(throughput?.value);
    expect(measured['cold-start']).toBe(coldStart?.median.totalMs);
    expect(measured.memory).toBe(memory?.modelBytes);
  });

  it('that cannot be met fail', async () => {
    const texts = ['p50=1ns', 'p99=1ns', 'throughput=1000000000000/s', 'size=1B', 'cold-start=1ns'];
    const report = await benchModels([DIGITS], { ...FIVE, budgets: texts.map(parseBudget) });
    expect(verdicts(report)).toEqual({
      p50: 'fail',
      p99: 'fail',
      throughput: 'fail',
      size: 'fail',
      'cold-start': 'fail',
    });
    expect(report.verdict).toBe('fail');
  });

  it('are inconclusive when there is no time', async () => {
    const budgets = ['p99.999=1000s', 'cold-start=1000s', 'size=1GB'].map(parseBudget);
    const report = await benchModels([DIGITS], { durationMs: 50, processes: 2, maxTimeMs: 1, budgets });
    expect(verdicts(report)).toEqual({ 'p99.999': 'inconclusive', 'cold-start': 'inconclusive', size: 'pass' });
    expect(report.verdict).toBe('inconclusive');
  });

  it('are judged for each configuration, and one that fails fails all', async () => {
    const small = await write('small.onnx', chainText(1));
    const budgets = [parseBudget('size=500B')];
    const report = await benchModels([small, DIGITS], { ...QUICK, budgets });
    expect(report.budgets.map(({ configuration, verdict }) => [configuration, verdict])).toEqual([
      ['small.onnx', 'pass'],
      ['model.onnx', 'fail'],
    ]);
    expect(report.verdict).toBe('fail');
  });

  it.each(['first-token=1000s', 'tokens=1/s'])('on what only servers have are refused: %s', async (text) => {
    const budgets = [parseBudget(text)];
    await expect(benchModels(['absent.onnx'], { budgets })).rejects.toMatchObject({ code: 'SO1006' });
  });
});

describe('a baseline model', () => {
  let fast = '';
  let slow = '';
  beforeAll(async () => {
    fast = await write('fast.onnx', chainText(1));
    slow = await write('slow.onnx', chainText(200));
  });

  it('that is the model itself is never slower', async () => {
    const report = await benchModels([fast], { ...QUICK, baselinePath: fast, minEffect: 0.5, maxTimeMs: scaled(4000) });
    const [regression] = report.regressions;
    expect(regression).toMatchObject({ configuration: 'fast.onnx', baseline: 'fast.onnx', kind: 'model' });
    expect(['pass', 'inconclusive']).toContain(regression?.verdict);
    expect(regression?.rounds.length).toBeGreaterThan(0);
    for (const { ratio, selfRatio, pairs } of regression?.rounds ?? []) {
      expect(ratio).toBeGreaterThan(0);
      expect(selfRatio).toBeGreaterThan(0);
      expect(pairs).toBeGreaterThan(0);
    }
    expect(report.verdict).toBe(regression?.verdict);
  });

  it('that does far less work fails the candidate', async () => {
    const batch = [1000];
    const report = await benchModels([slow], { ...QUICK, batch, baselinePath: fast, maxTimeMs: scaled(20_000) });
    const [regression] = report.regressions;
    expect(regression?.verdict).toBe('fail');
    expect(regression?.ratio?.value).toBeGreaterThan(1);
    expect(regression?.ratio?.low).toBeGreaterThan(1);
    expect(report.verdict).toBe('fail');
  });

  it('that takes other inputs is refused before anything is measured', async () => {
    const stages: string[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === 'start') stages.push(event.stage);
    };
    await expect(benchModels([DIGITS], { ...QUICK, baselinePath: fast }, { onProgress })).rejects.toMatchObject({
      code: 'SO4002',
    });
    expect(stages).toEqual(['read']);
  });

  it('that does not run on what the candidate takes decides nothing, and costs no measurement', async () => {
    const one = await write(
      'one.onnx',
      'g (float[N, 4] x) => (float[1, 4] y) { s = Constant <value = int64[2] {1, 4}> () y = Reshape (x, s) }',
    );
    const report = await benchModels([fast], { ...QUICK, batch: [3], baselinePath: one, maxTimeMs: 3000 });
    expect(only(report).latency?.runs).toBeGreaterThan(0);
    expect(report.regressions).toMatchObject([{ verdict: 'inconclusive', baseline: 'one.onnx', kind: 'model' }]);
    expect(report.verdict).toBe('inconclusive');
  });

  it('that is not there, or is no model, is refused', async () => {
    const options = { ...QUICK, baselinePath: join(folder, 'absent.onnx') };
    await expect(benchModels([fast], options)).rejects.toMatchObject({ code: 'SO2001' });
    writeFileSync(join(folder, 'empty.onnx'), '');
    await expect(benchModels([fast], { ...QUICK, baselinePath: join(folder, 'empty.onnx') })).rejects.toMatchObject({
      code: 'SO2004',
    });
  });
});

describe('a baseline report', () => {
  let model = '';
  let report: BenchReport;
  beforeAll(async () => {
    model = await write('reported.onnx', chainText(2));
    report = await benchModels([model], { durationMs: 100, processes: 3 });
  });

  /** A report of the same run, with something else in it. */
  function saved(name: string, change: (report: Record<string, unknown>) => void = () => undefined): string {
    const copy = JSON.parse(reportJson(report));
    change(copy);
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(copy));
    return path;
  }

  const judge = async (baselinePath: string, options: BenchOptions = {}): Promise<BenchReport> =>
    benchModels([model], { durationMs: 100, processes: 3, baselinePath, ...options });

  it('of the same machine is compared with', async () => {
    const { regressions, verdict } = await judge(saved('same.json'));
    expect(regressions).toHaveLength(1);
    expect(regressions[0]).toMatchObject({ kind: 'report', baseline: 'same.json', configuration: 'reported.onnx' });
    expect(['pass', 'fail', 'inconclusive']).toContain(verdict);
    expect(regressions[0]?.verdict).toBe(verdict);
    expect(regressions[0]?.ratio?.value).toBeGreaterThan(0);
  });

  it.each([
    ['another CPU', (r: Record<string, unknown>) => Object.assign(r.environment as object, { cpuModel: 'Z80' })],
    [
      'another number of CPUs',
      (r: Record<string, unknown>) => Object.assign(r.environment as object, { availableParallelism: 999 }),
    ],
    ['another ONNX Runtime', (r: Record<string, unknown>) => Object.assign(r, { onnxRuntimeVersion: '0.0.1' })],
    ['another scenario', (r: Record<string, unknown>) => Object.assign(r, { scenario: { kind: 'offline' } })],
  ])('of %s is not comparable, which breaks nothing', async (what, change) => {
    const { regressions, verdict } = await judge(saved('other.json', change), { processes: 1 });
    expect(regressions).toMatchObject([{ verdict: 'not-comparable' }]);
    expect(regressions[0]?.why, what).not.toBe('');
    expect(verdict).toBeUndefined();
  });

  it('without the threads that are measured is not comparable', async () => {
    const { regressions } = await judge(saved('threads.json'), { processes: 1, threads: [1], batch: [2] });
    expect(regressions).toMatchObject([{ verdict: 'not-comparable' }]);
  });

  it.each([
    ['another schema', (r: Record<string, unknown>) => Object.assign(r, { schemaVersion: 99 })],
    ['another command', (r: Record<string, unknown>) => Object.assign(r, { command: 'compare' })],
    ['no configurations', (r: Record<string, unknown>) => Object.assign(r, { configurations: 7 })],
  ])('of %s is refused', async (_, change) => {
    await expect(judge(saved('refused.json', change))).rejects.toMatchObject({ code: 'SO4007' });
  });

  it('of another model is refused', async () => {
    const baselinePath = saved('mine.json');
    await expect(benchModels([DIGITS], { ...QUICK, baselinePath })).rejects.toMatchObject({ code: 'SO4007' });
  });

  it('is read as `--json` writes it, too', async () => {
    const path = join(folder, 'document.json');
    writeFileSync(path, JSON.stringify({ schemaVersion: 1, command: 'bench', ok: true, result: report }));
    const { regressions } = await judge(path, { processes: 1 });
    expect(regressions[0]?.verdict).not.toBe('not-comparable');
    expect(readFileSync(path, 'utf8')).not.toBe('');
  });
});
