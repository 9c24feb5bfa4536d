/** Verification that looks: branches, open sizes, caches, and originals that only run in a plain session. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import type { RuntimeHost } from '../../src/runtime/host.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { compare } from '../../src/workflows/compare.js';
import { interfaceOf } from '../../src/workflows/optimize/interface-check.js';
import { Verifier } from '../../src/workflows/optimize/verifier.js';
import { optimizeModel } from '../../src/workflows/optimize-model.js';
import { Failure } from '../../src/workflows/workbench/failure.js';
import { OriginalRuns } from '../../src/workflows/workbench/original-runs.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = (text: string) => parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);

async function written(text: string): Promise<string> {
  const path = join(mkdtempSync(join(folder, 'in-')), 'model.onnx');
  await writeModel(model(text), path);
  return path;
}

const output = (): string => join(mkdtempSync(join(folder, 'out-')), 'out.onnx');
const SEEDED = { kind: 'seeded', seed: 0, count: 8 } as const;
const quick = { latency: false } as const;

describe('branches', () => {
  /** A branch on a condition, of which the then_branch negates or doubles. */
  const branching = (
    inputs: string,
    condition: string,
    taken: 'Neg (x)' | 'Add (x, x)',
  ): string => `g (float[n, 4] x, ${inputs})
    => (float[n, 4] y) <int64 two = {2}, int64 five = {5}, float big = {50}> { ${condition}
      y = If (c) <then_branch = t () => (float[n, 4] a) { a = ${taken} }, else_branch = e () => (float[n, 4] b) { b = Relu (x) }> }`;

  it.each([
    ['a flag', 'bool f', 'c = Identity (f)'],
    ['a flag in a list of one', 'bool[1] f', 'c = Squeeze (f)'],
    ['two flags together', 'bool f, bool h', 'c = And (f, h)'],
    ['an integer as a flag', 'int64 k', 'c = Cast <to = 9> (k)'],
    ['an integer that is compared', 'int32 k', 'w = Cast <to = 7> (k) c = Equal (w, five)'],
    ['an integer beyond a bound', 'int64[1] k', 's = Squeeze (k) c = Greater (s, five)'],
    [
      'numbers of a magnitude that plain samples do not have',
      'int64 k',
      'm = ReduceMax <keepdims = 0> (x) c = Greater (m, big)',
    ],
  ])('are both taken: %s', async (_what, inputs, condition) => {
    const a = model(branching(inputs, condition, 'Neg (x)'));
    const b = model(branching(inputs, condition, 'Add (x, x)'));
    const report = await compare(a, b, SEEDED, quick);
    expect(report.comparison.outputs[0]?.maxAbs).toBeGreaterThan(0);
    expect(report.warnings).toEqual([]);
  });

  it('that no sample reaches are named', async () => {
    const text = branching(
      'bool f',
      'm = ReduceMax <keepdims = 0> (x) h = Mul (big, big) d = Mul (h, h) g = Mul (d, d) c = Greater (m, g)',
      'Neg (x)',
    );
    const report = await compare(model(text), model(text), SEEDED, quick);
    expect(report.warnings.join(' ')).toContain('No sample reached the then_branch of "y"');
    const optimized = await optimizeModel(await written(text), { outputPath: output(), speedGate: false });
    if (optimized.verification.runs === 'passed')
      expect(optimized.warnings.join(' ')).toContain('No sample reached the then_branch of "y"');
  });
});

describe('open sizes', () => {
  it.each([
    ['two names of one batch', 'float[s21, 4] a, float[s52, 4] b', 'y = Add (a, b)'],
    [
      'three, of which one is free',
      'float[s1, 4] a, float[k, 4] m, float[s2, 4] b',
      'z = Add (a, b) t = Transpose (m) y = MatMul (z, t)',
    ],
    ['two names of one length', 'float[n, p, 4] a, float[n, q, 4] b', 'y = Mul (a, b)'],
  ])('that must agree do in every sample: %s', async (_what, inputs, body) => {
    const one = model(`g (${inputs}) => (float[] y) { ${body} }`);
    const report = await compare(one, one.clone(), { kind: 'seeded', seed: 1, count: 24 }, quick);
    expect(report.comparison.samples).toBe(24);
  });
});

describe('decoders with a past', () => {
  /** One layer of attention over past and new positions, with a mask over both. */
  const decoder = (past: string, total: string, ids = 'ids', seq = 's'): string => `g (int64[b, ${seq}] ${ids},
      int64[b, ${total}] attention_mask, float[b, 2, p, 4] ${past}) => (float[] y, float[] present) <float[9, 8] table = {${Array.from({ length: 72 }, (_, i) => (i % 7) / 7).join(',')}},
      int64[4] split = {0, 0, 2, 4}, int64[2] axes = {1, 2}, float one = {1}, float far = {-10000}> {
    h = Gather (table, ${ids}) r = Reshape (h, split) k = Transpose <perm = [0, 2, 1, 3]> (r)
    present = Concat <axis = 2> (${past}, k) kt = Transpose <perm = [0, 1, 3, 2]> (present) scores = MatMul (k, kt)
    m = Unsqueeze (attention_mask, axes) f = Cast <to = 1> (m) i = Sub (one, f) bias = Mul (i, far)
    masked = Add (scores, bias) w = Softmax (masked) v = MatMul (w, present) y = Identity (v) }`;

  it.each([
    ['a name of its own for the length of the mask', 'past_0_key', 'total'],
    ['past_key_values.0.key and total_sequence_length', '"past_key_values.0.key"', 'total_sequence_length'],
    ['cache_k_0 and a mask of another name', 'cache_k_0', 'm'],
    ['the mask named as long as the new ones, though it is longer', 'past_key', 's'],
  ])('are run: %s', async (_what, past, total) => {
    const report = await optimizeModel(
      await written(decoder(past.replaceAll(/["]/g, '').replaceAll('.', '_'), total)),
      {
        outputPath: output(),
        speedGate: false,
      },
    );
    expect(report.verification).toMatchObject({ runs: 'passed', samples: 5 });
  });
});

/** LayerNormalization written out, with a scale that ONNX Runtime's fused kernel does not take. */
const BROKEN_BY_FUSION = (
  rows: number,
): string => `g (float[${rows}, 1] x) => (float[] y) <float two = {2}, float eps = {0.00001}, float[2] s = {0.5, 0.2}> {
  mn = ReduceMean <axes = [-1], keepdims = 1> (x) d = Sub (x, mn) sq = Pow (d, two)
  var = ReduceMean <axes = [-1], keepdims = 1> (sq) ve = Add (var, eps) sd = Sqrt (ve) nm = Div (d, sd) sc = Mul (nm, s) y = Identity (sc) }`;

describe('an original that ONNX Runtime’s own optimizations break', () => {
  it.each([1, 3])('is compared with them off, and that is said: %i rows', async (rows) => {
    const path = await written(BROKEN_BY_FUSION(rows));
    const report = await optimizeModel(path, { outputPath: output(), level: 'basic' });
    expect(report.verification).toMatchObject({ runs: 'passed', samples: 5 });
    expect(
      report.warnings.filter((each) => each.includes('The optimizations of ONNX Runtime break the original')),
    ).toHaveLength(1);
    const compared = await compare(path, path, SEEDED, quick);
    expect(compared.comparison.outputs[0]?.maxAbs).toBe(0);
    expect(compared.warnings.join(' ')).toContain('The optimizations of ONNX Runtime break a model');
  });

  it('by ending the process is told once, and what comes after is verified', async () => {
    const path = await written('g (float[N, 3] x) => (float[N, 3] y) { y = Relu (x) }');
    const original = await readModel(path);
    const runtime = new DyingRuntime();
    try {
      const runs = new OriginalRuns(runtime, original, original, path, {});
      const reference = await runs.reference();
      if (reference instanceof Failure) throw new Error(reference.reason);
      expect(reference).toMatchObject({ plain: true, optimized: false });
      expect(reference.warnings.join(' ')).toContain('crashed the ONNX Runtime process');
      const verdict = await new Verifier(original, interfaceOf(original), runs).check(path, true, 'optimized');
      expect(verdict.wrong).toBeUndefined();
      expect(verdict.outputs?.[0]?.elements).toBeGreaterThan(0);
      expect(runtime.deaths).toBe(1);
    } finally {
      await runtime.close();
      original.source?.close();
    }
  });
});

/** ONNX Runtime that dies of every model it is to optimize. */
class DyingRuntime extends LazyRuntime {
  deaths = 0;

  override async host(): Promise<RuntimeHost> {
    const host = await super.host();
    const request: RuntimeHost['request'] = (job, params, options) => {
      const { graphOptimization } = (params as { options?: { graphOptimization?: string } } | undefined)?.options ?? {};
      if (job === 'load' && graphOptimization === 'all') {
        this.deaths++;
        process.kill(host.childPid, 'SIGKILL');
      }
      return host.request(job, params, options);
    };
    return { childPid: host.childPid, request, lastOutput: () => host.lastOutput(), close: () => host.close() };
  }
}

describe('a result', () => {
  it.each([
    ['a literal 0 that only the result has', 'float[0, 3, 4] x', 'float[n, 12] y', '{-1}'],
    ['the same of another rank', 'float[0, 6] x', 'float[n, m] y', '{-1}'],
  ])('loads where the original does, though neither can be run: %s', async (_what, input, given, rest) => {
    const path = await written(`g (${input}) => (${given}) <int64[1] i = {0}, int64[1] m = ${rest}> {
      s = Shape (x) g = Gather (s, i) t = Concat <axis = 0> (g, m) y = Reshape (x, t) }`);
    const report = await optimizeModel(path, { outputPath: output(), level: 'basic', speedGate: false });
    expect(report.verification.loads).not.toBe('skipped');
  });
});

describe('a model that breaks the rules of its operators', () => {
  const BAD =
    'g (float[N, 1, 8, 8] x) => (float[] y) <float[1, 1, 3, 3] w = {1,1,1,1,1,1,1,1,1}> { c = Identity (x) y = Conv <strides = [0, 1]> (c, w) }';

  it('is refused unless that is allowed', async () => {
    const path = await written(BAD);
    await expect(optimizeModel(path, { outputPath: output() })).rejects.toMatchObject({ code: 'SO3004', exitCode: 3 });
    await expect(compare(path, path, SEEDED, quick)).rejects.toMatchObject({ code: 'SO3004', exitCode: 3 });
    const report = await optimizeModel(path, { outputPath: output(), allowInvalid: true, speedGate: false });
    expect(report.verification.runs).toBe('skipped');
    expect(report.warnings.join(' ')).toContain('strides and dilations must be positive');
  });

  it('is refused where only ONNX Runtime knows the rule', async () => {
    const path = await written('g (float[N, 4] x) => (float[N, 4] y) { y = Softmax <axis = 7> (x) }');
    await expect(optimizeModel(path, { outputPath: output() })).rejects.toMatchObject({ code: 'SO3004', exitCode: 3 });
    await expect(compare(path, path, SEEDED, quick)).rejects.toMatchObject({ code: 'SO3004' });
  });
});
