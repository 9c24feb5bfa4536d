/** Budgets of `quantize`, `compare` and `optimize`: what is delivered, what is said, and how the program ends. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBudget } from '../../src/gates/parse-budget.js';
import type { CompareReport, QuantizeReport } from '../../src/report/types.js';
import { compare } from '../../src/workflows/compare.js';
import { inspectModel } from '../../src/workflows/inspect-model.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { listing, makeParent, makePlace, type Outcome, type Place, ROOT, run } from './program.js';

const fixture = (name: string): string => join(ROOT, 'fixtures', 'digits-mlp', name);
const [DIGITS, EVAL] = [fixture('model.onnx'), fixture('eval.npz')];
const budgets = (...texts: readonly string[]) => ({ budgets: texts.map(parseBudget) });

let parent = '';
beforeAll(() => {
  parent = makeParent();
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

describe('the program', () => {
  /** Its words, with no variable of the developer's CI. */
  const program = (place: Place, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    run(place, words, { PATH: process.env.PATH, ...environment });
  const QUANTIZE = ['quantize', 'model.onnx', '--mode', 'dynamic', '--allow-slower', '-o', 'out.onnx', '--eval', EVAL];
  const read = (place: Place, name: string): string => readFileSync(join(place.folder, name), 'utf8');

  it('delivers what keeps its budgets, with a row for each', async () => {
    const place = makePlace(parent, DIGITS);
    const texts = ['drop=50%', 'accuracy=0.5', 'agreement=0.5', 'size=1MB', 'params=1M', 'macs=1G', 'sqnr=1dB'];
    const words = texts.flatMap((text) => ['--budget', text]);
    const outcome = await program(place, [...QUANTIZE, ...words, '--max-loss', '60%', '--json']);
    expect(outcome.code, outcome.stderr).toBe(0);
    const { ok, result } = JSON.parse(outcome.stdout) as { ok: boolean; result: QuantizeReport };
    expect(ok).toBe(true);
    expect(result.verdict).toBe('pass');
    expect(result.budgets?.map(({ metric, budget }) => `${metric}=${budget}`)).toEqual([...texts, 'drop=60%']);
    expect(result.budgets?.[0]).toEqual({
      configuration: 'out.onnx',
      metric: 'drop',
      budget: '50%',
      limit: 0.5,
      unit: 'ratio',
      wants: 'low',
      measured: expect.any(Number),
      low: expect.any(Number),
      high: expect.any(Number),
      verdict: 'pass',
      why: expect.stringMatching(/^.* changes from 0\.\d{4} to 0\.\d{4}, n = 1,000$/),
    });
    const beside = JSON.parse(read(place, 'out.report.json')) as QuantizeReport;
    expect(beside.budgets).toEqual(result.budgets);
    const cost = await inspectModel(join(place.folder, 'out.onnx'));
    const measured = Object.fromEntries((result.budgets ?? []).map((each) => [each.metric, each.measured]));
    expect(measured).toMatchObject({ params: cost.parameters, macs: cost.macs?.total, size: result.output.sizeBytes });
  });

  it.each([
    [4, 'SO7001', ['--budget', 'size=1B', '--budget', 'drop=50%'], 'fail'],
    [4, 'SO7001', ['--min-sqnr', '200'], 'fail'],
    [4, 'SO7001', ['--budget', 'speed-up=1000x'], 'fail'],
  ] as const)('ends with %d and %s for %j, and keeps an output that is there', async (code, name, words, verdict) => {
    const place = makePlace(parent, DIGITS);
    writeFileSync(join(place.folder, 'out.onnx'), 'before');
    const reports = ['--report', 'r.json', '--report', 'r.html', '--junit', 'j.xml', '--markdown', 'm.md'];
    const outcome = await program(place, [...QUANTIZE, '--force', ...words, ...reports, '--json']);
    expect(outcome.code, outcome.stderr).toBe(code);
    expect(read(place, 'out.onnx')).toBe('before');
    expect(listing(place.folder)).toEqual(['j.xml', 'm.md', 'model.onnx', 'out.onnx', 'r.html', 'r.json']);
    const { ok, result, error } = JSON.parse(outcome.stdout);
    expect(ok).toBe(false);
    expect(result).toMatchObject({ command: 'quantize', verdict });
    expect(error).toMatchObject({
      code: name,
      message: expect.stringMatching(/^The result is not written: it misses/),
    });
    expect(JSON.parse(read(place, 'r.json'))).toMatchObject({ verdict, budgets: result.budgets });
    expect(read(place, 'r.html')).toContain('Fail');
    expect(read(place, 'j.xml')).toMatch(/failures="1" errors="0"/);
    expect(read(place, 'm.md')).toContain('### ❌ serve-opt quantize: fail');
  });

  it('shows the table before it says what was missed, and tells GitHub once', async () => {
    const place = makePlace(parent, DIGITS);
    const words = ['--budget', 'size=1B', '--budget', 'params=1M'];
    const { code, stdout, stderr } = await program(place, [...QUANTIZE, ...words], { GITHUB_ACTIONS: 'true' });
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(/✗ {2}size ≤ 1B .* kB .*FAIL\n {2}✓ {2}params ≤ 1M .*pass {2,}\S+ elements\n/);
    expect(stdout).toMatch(/✗ FAIL {2}1 of 2 budgets broken\n$/);
    expect(stderr).toMatch(
      /✗ SO7001 The result is not written: it misses the budget size ≤ 1B\n {2}why: measured \S+ kB\n/,
    );
    expect(stderr.match(/^::error .*/gm)).toEqual([
      '::error title=serve-opt quantize::The result is not written: it misses the budget size ≤ 1B',
    ]);
    expect(listing(place.folder)).toEqual(['model.onnx']);
  });

  it('writes no model to stdout that misses a budget', async () => {
    const place = makePlace(parent, DIGITS);
    const words = ['quantize', 'model.onnx', '--mode', 'dynamic', '--allow-slower', '-o', '-', '--budget', 'size=1B'];
    const { code, stdout, stderr } = await program(place, words);
    expect(code, stderr).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toContain('FAIL');
    expect(listing(place.temporary)).toEqual([]);
  });

  it.each([
    [0, ['--budget', 'drop=0%', '--budget', 'size=1MB'], 'pass', undefined],
    [4, ['--budget', 'accuracy=100%'], 'fail', 'B misses the budget accuracy ≥ 100%'],
    [4, ['--budget', 'size=1B', '--budget', 'params=1'], 'fail', 'B misses 2 of 2 budgets: size ≤ 1B, params ≤ 1'],
    [4, ['--budget', 'speed-up=1000x'], 'fail', 'B misses the budget speed-up ≥ 1000x'],
  ] as const)('compare ends with %d for %j', async (code, words, verdict, message) => {
    const place = makePlace(parent, DIGITS);
    const outcome = await program(place, ['compare', 'model.onnx', 'model.onnx', '--data', EVAL, ...words, '--json']);
    expect(outcome.code, outcome.stderr).toBe(code);
    const { result, error } = JSON.parse(outcome.stdout) as { result: CompareReport; error?: { message: string } };
    expect(result.verdict).toBe(verdict);
    expect(result.budgets).toHaveLength(words.length / 2);
    expect(error?.message).toBe(message);
  });

  it('optimize delivers nothing that misses a budget', async () => {
    const place = makePlace(parent, DIGITS);
    const words = ['optimize', 'model.onnx', '-o', 'out.onnx', '--no-speed-gate', '--budget', 'params=1', '--json'];
    const outcome = await program(place, words);
    expect(outcome.code, outcome.stderr).toBe(4);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      result: { command: 'optimize', verdict: 'fail', budgets: [{ metric: 'params', configuration: 'out.onnx' }] },
      error: { code: 'SO7001' },
    });
    expect(listing(place.folder)).toEqual(['model.onnx']);
    const kept = await program(place, [...words.slice(0, -2), 'size=1MB']);
    expect(kept.code, kept.stderr).toBe(0);
    expect(listing(place.folder)).toContain('out.onnx');
  });
});

describe('a budget that nothing can decide', () => {
  /** ONNX Runtime for Node cannot pass bfloat16: such a model is written and not run. */
  const UNRUNNABLE = `g (bfloat16[N, 4] x) => (bfloat16[N, 4] y) {
    h = Identity (x)
    y = Neg (h)
  }`;

  it('keeps a result back, unless that is allowed', async () => {
    const { parseModel } = await import('../../src/ir/text/parse-model.js');
    const { writeModel } = await import('../../src/ir/write-model.js');
    const path = join(parent, 'unrunnable.onnx');
    await writeModel(parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${UNRUNNABLE}`), path);
    const outputPath = join(parent, 'undecided.onnx');
    const options = { outputPath, mode: 'dynamic', ...budgets('sqnr=1dB', 'size=1MB') } as const;
    let refused: QuantizeReport | undefined;
    const onRefused = (report: QuantizeReport): void => {
      refused = report;
    };
    await expect(quantizeModel(path, { ...options, onRefused })).rejects.toMatchObject({
      code: 'SO7002',
      exitCode: 5,
      message: 'The result is not written: the budget sqnr ≥ 1dB cannot be decided',
    });
    expect(refused?.budgets?.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'pass']);
    expect(listing(parent)).not.toContain('undecided.onnx');
    const report = await quantizeModel(path, { ...options, allowInconclusive: true });
    expect(report.verdict).toBe('inconclusive');
    expect(listing(parent)).toContain('undecided.onnx');
  });

  it('in a comparison is in its report', async () => {
    const options = { latency: false, ...budgets('speed-up=1x', 'agreement=100%') };
    const report = await compare(DIGITS, DIGITS, undefined, options);
    expect(report.verdict).toBe('inconclusive');
    expect(report.budgets).toMatchObject([
      { verdict: 'inconclusive', why: 'the latency was not measured' },
      { measured: 1, verdict: 'pass' },
    ]);
    expect(report.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^The agreement was measured on synthetic inputs/)]),
    );
  });
});

describe('reports', () => {
  it('warn where other samples could decide otherwise, and say nothing of budgets where none was set', async () => {
    const report = await quantizeModel(DIGITS, {
      outputPath: join(parent, 'near.onnx'),
      mode: 'dynamic',
      allowSlower: true,
      evalPath: EVAL,
      ...budgets('agreement=99.9%', 'drop=90%'),
    });
    expect(report.verdict).toBe('pass');
    expect(report.warnings.filter((each) => each.startsWith('The limit of'))).toEqual([
      expect.stringMatching(
        /^The limit of agreement ≥ 99\.9% lies within the measured 95 % interval \(99\.\d+ % to 100 %\): the budget is kept on these samples/,
      ),
    ]);
    const bare = await quantizeModel(DIGITS, {
      outputPath: join(parent, 'bare.onnx'),
      mode: 'dynamic',
      allowSlower: true,
    });
    expect(bare).not.toHaveProperty('budgets');
    expect(bare).not.toHaveProperty('verdict');
  });

  it('of an optimized model that is the original say that it is as fast', async () => {
    const first = join(parent, 'first.onnx');
    await optimizeModel(DIGITS, { outputPath: first, verify: false, speedGate: false });
    const report = await optimizeModel(first, { outputPath: join(parent, 'second.onnx'), ...budgets('speed-up=1x') });
    expect(report.budgets).toMatchObject([{ measured: 1, verdict: 'pass' }]);
  });
});
