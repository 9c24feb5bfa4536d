import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { parseBudgets } from '../../src/gates/parse-budget.js';
import { readModel } from '../../src/ir/read-model.js';
import { formatType } from '../../src/ir/type.js';
import { layerWeights } from '../../src/prune/layer-weights.js';
import { followsPattern } from '../../src/prune/weight-masks.js';
import type { PruneReport } from '../../src/report/prune-types.js';
import { createRandom } from '../../src/tensor/random.js';
import { pruneModel } from '../../src/workflows/prune-model.js';
import { quantizeModel } from '../../src/workflows/quantize-model.js';
import { float32 } from '../helpers/npy.js';
import { writeText } from '../helpers/small-models.js';
import { zip } from '../helpers/zip.js';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures');
const fixture = (name: string, file = 'model.onnx'): string => join(FIXTURES, name, file);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (name: string): string => join(mkdtempSync(join(folder, 'out-')), name);

function topOne({ accuracy }: PruneReport): { readonly before: number; readonly after: number } {
  const [metric] = accuracy?.metrics ?? [];
  return { before: metric?.a.value ?? Number.NaN, after: metric?.b.value ?? Number.NaN };
}

async function failure(call: Promise<unknown>): Promise<ServeOptError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ServeOptError);
  return error as ServeOptError;
}

/** A weight of numbers between -1 and 1. */
function weight(name: string, dims: readonly number[]): string {
  const size = dims.reduce((a, b) => a * b, 1);
  return `float[${dims.join(',')}] ${name} = {${Array.from({ length: size }, (_, at) => Math.sin(at + name.charCodeAt(0)).toFixed(3)).join(',')}}`;
}

describe('pruneModel cuts units', () => {
  it('makes a smaller model that computes what zeros would, with the interface of the original', async () => {
    const outputPath = fresh('cut.onnx');
    const report = await pruneModel(fixture('kws-dscnn'), { amount: 0.5, outputPath });
    expect(report.after.parameters).toBeLessThan(0.35 * report.before.parameters);
    expect(report.after.macs).toBeLessThan(0.5 * report.before.macs);
    expect(report.cut?.sqnrDb).toBeGreaterThan(100);
    expect(report.groups.every(({ units, kept }) => kept < units && kept > 0)).toBe(true);
    expect(report.verification).toMatchObject({ loads: 'passed', runs: 'passed' });
    const [before, after] = [await readModel(fixture('kws-dscnn')), await readModel(outputPath)];
    for (const side of ['inputs', 'outputs'] as const)
      expect(after.graph[side].map(({ name, type }) => `${name} ${formatType(type)}`)).toEqual(
        before.graph[side].map(({ name, type }) => `${name} ${formatType(type)}`),
      );
    for (const model of [before, after]) model.source?.close();
    expect(JSON.parse(readFileSync(join(dirname(outputPath), 'cut.report.json'), 'utf8'))).toMatchObject({
      command: 'prune',
      method: 'structured',
    });
  });

  it('sees the cut of layers that read zeros alone, by other numbers there', async () => {
    const path = fresh('dead.onnx');
    const never = `float[16] never = {${Array(16).fill(-1000).join(',')}}`;
    const weights = [
      weight('a', [6, 16]),
      weight('b', [16, 16]),
      weight('c', [16, 16]),
      weight('d', [16, 4]),
      weight('e', [16, 4]),
    ];
    await writeText(
      path,
      `g (float[N,6] x) => (float[N,4] y, float[N,4] z) <${weights.join(', ')}, ${never}> {
        p = MatMul (x, a) q = Relu (p)
        r = MatMul (q, b) rb = Add (r, never) s = Relu (rb)
        t = MatMul (s, c) u = Relu (t)
        y = MatMul (u, d) z = MatMul (q, e)
      }`,
    );
    const report = await pruneModel(path, { amount: 0.5, align: 1, outputPath: fresh('cut.onnx') });
    expect(report.cut?.dead?.length).toBe(2);
    expect(report.cut?.unseen).toBeUndefined();
    expect(report.cut?.sqnrDb).toBeGreaterThan(100);
    expect(report.warnings).toContainEqual(
      expect.stringContaining('Output "y" of the original is zero on every sample'),
    );
  });

  it('checks the cut of products of units that do not give zero where their weights are zero', async () => {
    const path = fresh('linear.onnx');
    const weights = [weight('a', [6, 16]), weight('b', [6, 16]), weight('c', [6, 16]), weight('d', [16, 4])];
    await writeText(
      path,
      `g (float[N,T,6] x) => (float[N,T,4] y) <${weights.join(', ')}> {
        q = MatMul (x, a) qe = Exp (q) k = MatMul (x, b) ke = Exp (k) kt = Transpose <perm = [0, 2, 1]> (ke)
        v = MatMul (x, c) kv = MatMul (kt, v) o = MatMul (qe, kv) y = MatMul (o, d)
      }`,
    );
    const report = await pruneModel(path, { amount: 0.5, align: 1, outputPath: fresh('cut.onnx') });
    expect(report.groups.map(({ units, kept }) => kept / units)).toEqual([0.5, 0.5]);
    expect(report.cut?.sqnrDb).toBeGreaterThan(100);
  });

  it('repairs the layers behind a cut with data, and keeps what held-out samples confirm', async () => {
    const common = { amount: 0.3, evalPath: fixture('kws-dscnn', 'eval.npz') };
    const plain = await pruneModel(fixture('kws-dscnn'), { ...common, outputPath: fresh('plain.onnx') });
    const repaired = await pruneModel(fixture('kws-dscnn'), {
      ...common,
      dataPath: fixture('kws-dscnn', 'calib.npz'),
      outputPath: fresh('repaired.onnx'),
    });
    expect(repaired.score).toBe('activation');
    expect(repaired.repair.length).toBeGreaterThan(5);
    for (const { before = 0, after = 0, left } of repaired.repair)
      if (left === undefined) expect(after).toBeLessThan(before);
    expect(topOne(repaired).after).toBeGreaterThan(topOne(plain).after);
    expect(topOne(repaired).after).toBeGreaterThan(topOne(repaired).before - 0.04);
  });

  it('repairs recurrent layers gate by gate', async () => {
    const [path, dataPath] = [fresh('recurrent.onnx'), fresh('samples.npz')];
    const weights = [
      weight('a', [6, 16]),
      weight('lw', [2, 64, 16]),
      weight('lr', [2, 64, 16]),
      weight('gw', [1, 36, 32]),
      weight('gr', [1, 36, 12]),
      weight('o', [12, 4]),
    ];
    await writeText(
      path,
      `g (float[N,9,6] x) => (float[N,9,4] y) <${weights.join(', ')}, int64[3] flat = {0, 0, 32}, int64[1] one = {1}> {
        p = MatMul (x, a) t = Tanh (p) s = Transpose <perm = [1, 0, 2]> (t)
        [lstm] l = LSTM <hidden_size = 16, direction = "bidirectional"> (s, lw, lr)
        lt = Transpose <perm = [0, 2, 1, 3]> (l) lf = Reshape (lt, flat)
        [gru] g = GRU <hidden_size = 12, linear_before_reset = 1> (lf, gw, gr)
        gs = Squeeze (g, one) gt = Transpose <perm = [1, 0, 2]> (gs) y = MatMul (gt, o)
      }`,
    );
    const random = createRandom(1);
    const samples = Array.from({ length: 80 * 9 * 6 }, () => 2 * random.float() - 1);
    writeFileSync(dataPath, zip([{ name: 'x.npy', data: float32([80, 9, 6], samples) }]));
    const common = { amount: 0.25, align: 1, score: 'l2' } as const;
    const outputPath = fresh('repaired.onnx');
    const plain = await pruneModel(path, { ...common, outputPath: fresh('plain.onnx') });
    const repaired = await pruneModel(path, { ...common, dataPath, outputPath });
    const kept = repaired.repair.filter(({ left }) => left === undefined).map(({ layer }) => layer);
    expect(kept).toEqual(
      expect.arrayContaining(['lstm, states forward', 'lstm, states backward', 'gru, inputs', 'gru, states']),
    );
    const sqnrOf = ({ verification }: PruneReport) => verification.comparison?.outputs[0]?.sqnrDb ?? Number.NaN;
    expect(repaired.groups).toEqual(plain.groups);
    expect(sqnrOf(repaired)).toBeGreaterThan(sqnrOf(plain) + 3);
    const result = await readModel(outputPath);
    expect([...result.graph.nodes].filter((node) => node.is('LSTM') || node.is('GRU')).length).toBe(2);
    result.source?.close();
  });

  it('cuts as little as a target takes', async () => {
    const report = await pruneModel(fixture('kws-dscnn'), { targetMacs: 0.6, align: 1, outputPath: fresh('t.onnx') });
    const share = report.after.macs / report.before.macs;
    expect(share).toBeLessThanOrEqual(0.6);
    expect(share).toBeGreaterThan(0.55);
  });

  it('leaves layers alone that are excluded, and cuts those alone that are included', async () => {
    const model = fixture('digits-mlp');
    const all = await pruneModel(model, { amount: 0.5, outputPath: fresh('a.onnx') });
    const names = all.groups.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(1);
    const one = await pruneModel(model, { amount: 0.5, include: names.slice(-1), outputPath: fresh('b.onnx') });
    expect(one.groups.filter(({ units, kept }) => kept < units).map(({ name }) => name)).toEqual(names.slice(-1));
    const others = await pruneModel(model, { amount: 0.5, exclude: names.slice(-1), outputPath: fresh('c.onnx') });
    expect(others.groups.filter(({ units, kept }) => kept < units).map(({ name }) => name)).toEqual(names.slice(0, -1));
  });

  it('gives the same bytes each time', async () => {
    const paths = [fresh('one.onnx'), fresh('two.onnx')];
    for (const outputPath of paths)
      await pruneModel(fixture('kws-dscnn'), { amount: 0.25, outputPath, dataPath: fixture('kws-dscnn', 'calib.npz') });
    const [one, two] = paths.map((path) => readFileSync(path));
    expect(one?.equals(two as Buffer)).toBe(true);
  });

  it('takes less until budgets of the outputs are kept, and reports what was tried', async () => {
    const report = await pruneModel(fixture('kws-dscnn'), {
      amount: 0.7,
      dataPath: fixture('kws-dscnn', 'calib.npz'),
      evalPath: fixture('kws-dscnn', 'eval.npz'),
      budgets: parseBudgets(['drop=3%'], 'prune'),
      outputPath: fresh('kept.onnx'),
    });
    expect(report.verdict).toBe('pass');
    expect(report.amount).toBeLessThan(0.7);
    expect(report.amount).toBeGreaterThan(0);
    expect(report.attempts?.[0]).toMatchObject({ amount: 0.7, budgets: [{ metric: 'drop', verdict: 'fail' }] });
    const held = (report.attempts ?? []).filter(({ budgets }) => budgets?.every(({ verdict }) => verdict === 'pass'));
    expect(Math.max(...held.map(({ amount }) => amount))).toBe(report.amount);
    expect(topOne(report).after).toBeGreaterThanOrEqual(topOne(report).before - 0.03);
  });

  it('weighs what the outputs lose against multiply-adds, and cuts as many as evenly', async () => {
    const common = { amount: 0.4, dataPath: fixture('kws-dscnn', 'calib.npz') };
    const even = await pruneModel(fixture('kws-dscnn'), { ...common, outputPath: fresh('even.onnx') });
    const weighed = await pruneModel(fixture('kws-dscnn'), {
      ...common,
      allocation: 'sensitivity',
      outputPath: fresh('weighed.onnx'),
    });
    expect(weighed.allocation).toBe('sensitivity');
    expect(weighed.after.macs).toBeLessThanOrEqual(even.after.macs);
    expect(weighed.groups.map(({ kept }) => kept)).not.toEqual(even.groups.map(({ kept }) => kept));
  });

  it('cuts in steps that come to the same widths', async () => {
    const common = { amount: 0.5, dataPath: fixture('kws-dscnn', 'calib.npz') };
    const once = await pruneModel(fixture('kws-dscnn'), { ...common, outputPath: fresh('once.onnx') });
    const thrice = await pruneModel(fixture('kws-dscnn'), { ...common, steps: 3, outputPath: fresh('thrice.onnx') });
    expect(thrice.steps).toBe(3);
    expect(thrice.groups).toEqual(once.groups);
    expect(thrice.cut?.sqnrDb).toBeGreaterThan(100);
    expect(thrice.repair.some(({ left }) => left === undefined)).toBe(true);
  });

  it('ranks units by optimal brain surgeon', async () => {
    const report = await pruneModel(fixture('kws-dscnn'), {
      amount: 0.3,
      score: 'obs',
      dataPath: fixture('kws-dscnn', 'calib.npz'),
      evalPath: fixture('kws-dscnn', 'eval.npz'),
      outputPath: fresh('obs.onnx'),
    });
    expect(report.score).toBe('obs');
    expect(topOne(report).after).toBeGreaterThan(topOne(report).before - 0.04);
  });

  it('makes a model that quantize takes as any other', async () => {
    const outputPath = fresh('small.onnx');
    const data = { dataPath: fixture('kws-dscnn', 'calib.npz'), evalPath: fixture('kws-dscnn', 'eval.npz') };
    const pruned = await pruneModel(fixture('kws-dscnn'), { ...data, amount: 0.25, outputPath });
    const quantized = await quantizeModel(outputPath, {
      ...data,
      allowSlower: true,
      outputPath: fresh('small.int8.onnx'),
    });
    expect(quantized.output.sizeBytes).toBeLessThan(0.5 * pruned.output.sizeBytes);
    const [metric] = quantized.accuracy?.metrics ?? [];
    expect(metric?.a.value).toBe(topOne(pruned).after);
    expect(metric?.b.value ?? 0).toBeGreaterThan(topOne(pruned).before - 0.06);
  });

  it('delivers nothing that misses a budget', async () => {
    const outputPath = fresh('out.onnx');
    const error = await failure(
      pruneModel(fixture('kws-dscnn'), {
        amount: 0.7,
        evalPath: fixture('kws-dscnn', 'eval.npz'),
        budgets: parseBudgets(['accuracy=100%'], 'prune'),
        outputPath,
      }),
    );
    expect(error).toMatchObject({ code: 'SO7001', exitCode: 4 });
    expect(error.hint).toContain('--amount');
    expect(existsSync(outputPath)).toBe(false);
    expect(readdirSync(dirname(outputPath))).toEqual([]);
  });
});

describe('pruneModel sets single weights to zero', () => {
  it('takes the smallest magnitudes of every layer, and leaves the interface and the size of the file', async () => {
    const outputPath = fresh('sparse.onnx');
    const report = await pruneModel(fixture('kws-dscnn'), { method: 'magnitude', amount: 0.5, outputPath });
    for (const { elements, zeros } of report.weights) expect(zeros).toBe(Math.round(elements / 2));
    expect(report.output.sizeBytes).toBe(report.input.sizeBytes);
    expect(report.compressed?.after).toBeLessThan(0.8 * (report.compressed?.before ?? 0));
    expect(report.notes.join(' ')).toContain('Zeros alone do not make ONNX Runtime faster');
  });

  it('loses less by optimal brain surgeon than by magnitude, in a pattern that every layer keeps', async () => {
    const common = { pattern: '2:4', evalPath: fixture('kws-dscnn', 'eval.npz') };
    const outputPath = fresh('obs.onnx');
    const magnitude = await pruneModel(fixture('kws-dscnn'), {
      ...common,
      method: 'magnitude',
      outputPath: fresh('m.onnx'),
    });
    const surgeon = await pruneModel(fixture('kws-dscnn'), {
      ...common,
      method: 'obs',
      dataPath: fixture('kws-dscnn', 'calib.npz'),
      outputPath,
    });
    expect(topOne(surgeon).after).toBeGreaterThan(topOne(magnitude).after);
    expect(topOne(surgeon).after).toBeGreaterThan(topOne(surgeon).before - 0.01);
    const model = await readModel(outputPath);
    const left = new Set(surgeon.weights.filter((each) => each.left !== undefined).map(({ node }) => node));
    const sparse = layerWeights(model).filter(({ node }) => !left.has(node.name));
    expect(sparse.length).toBeGreaterThan(3);
    for (const { tensor, inputAxis } of sparse)
      expect(followsPattern(tensor, inputAxis, { kept: 2, of: 4 })).toBe(true);
    model.source?.close();
  });
});

describe('pruneModel refuses', () => {
  it.each([
    [{ amount: 0 }, 'SO1006'],
    [{ amount: -0.5 }, 'SO1006'],
    [{ amount: 1.5 }, 'SO1006'],
    [{ targetMacs: 1.2 }, 'SO1006'],
    [{ align: 0 }, 'SO1006'],
    [{ method: 'magnitude', pattern: '4:2' }, 'SO1006'],
    [{ method: 'magnitude', pattern: 'half' }, 'SO1006'],
    [{ pattern: '2:4' }, 'SO1002'],
    [{ method: 'obs' }, 'SO1002'],
    [{ method: 'magnitude', targetMacs: 0.5 }, 'SO1002'],
    [{ include: ['no-such-layer'] }, 'SO1003'],
    [{ method: 'heads' }, 'SO3101'],
    [{ targetParams: 0.00001 }, 'SO3101'],
    [{ amount: 0.001 }, 'SO3101'],
    [{ method: 'layers' }, 'SO3101'],
    [{ targetLatency: { speedUp: 1 } }, 'SO1006'],
    [{ targetLatency: { ms: 0 } }, 'SO1006'],
    [{ steps: 0 }, 'SO1006'],
    [{ score: 'obs' }, 'SO1002'],
    [{ allocation: 'sensitivity', verify: false }, 'SO1002'],
    [{ method: 'magnitude', targetLatency: { speedUp: 2 } }, 'SO1002'],
    [{ method: 'layers', score: 'l1' }, 'SO1002'],
    [{ dataPath: fixture('digits-mlp', 'calib.npz') }, 'SO4002'],
    [{ dataPath: 'missing.npz' }, 'SO2001'],
  ] as const)('%j with a clear error, and writes nothing', async (options, code) => {
    const outputPath = fresh('never.onnx');
    const given =
      'pattern' in options && !('method' in options) ? { ...options, method: 'structured' as const } : options;
    const error = await failure(pruneModel(fixture('kws-dscnn'), { ...given, outputPath }));
    expect(error.code).toBe(code);
    expect(readdirSync(dirname(outputPath))).toEqual([]);
  });
});
