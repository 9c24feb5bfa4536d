import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBudget } from '../../src/gates/parse-budget.js';
import { markdownReport } from '../../src/report/ci/markdown.js';
import type { DistillReport } from '../../src/report/distill-types.js';
import { distillHtml } from '../../src/report/html/distill-html.js';
import { reportJson } from '../../src/report/json.js';
import { createRandom } from '../../src/tensor/random.js';
import type { DistillInput } from '../../src/workflows/distill/distill-options.js';
import { distill } from '../../src/workflows/distill.js';
import { float32, int64 } from '../helpers/npy.js';
import { zip } from '../helpers/zip.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const DIGITS = join(FIXTURES, 'digits-mlp/model.onnx');
const DATA = join(FIXTURES, 'digits-mlp/eval.npz');
const KWS = join(FIXTURES, 'kws-dscnn');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-distill-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function logits(
  name: string,
  rows: number,
  classes: number,
  seed: number,
  change: (values: number[]) => void = () => {},
): string {
  const random = createRandom(seed);
  const values = Array.from({ length: rows * classes }, () => 2 * random.normal());
  change(values);
  return write(name, float32([rows, classes], values));
}

/** What the teacher of this seed predicts. */
function bestOf(rows: number, classes: number, seed: number): number[] {
  const random = createRandom(seed);
  const values = Array.from({ length: rows * classes }, () => 2 * random.normal());
  return Array.from({ length: rows }, (_, row) => {
    const own = values.slice(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

function input(changes: Partial<Extract<DistillInput, { kind: 'logits' }>> = {}): DistillInput {
  return {
    kind: 'logits',
    teacher: logits('teacher.npy', 30, 5, 1),
    students: [logits('student.npy', 30, 5, 2)],
    labelsPath: write('labels.npy', int64([30], bestOf(30, 5, 1))),
    ...changes,
  };
}

describe('distill on files of logits', () => {
  it('reports losses, fidelity and calibration, and ranks the students', async () => {
    const near = logits('near.npy', 30, 5, 1, (values) => {
      for (const [i, value] of values.entries()) values[i] = value + 0.01 * (i % 3);
    });
    const report = await distill(input({ students: [logits('far.npy', 30, 5, 9), near] }), { resamples: 50 });
    expect(report.students.map(({ name }) => name)).toEqual(['near.npy', 'far.npy']);
    const [first] = report.students;
    if (first?.evaluation.kind !== 'classes') throw new Error('not of classes');
    expect(first.evaluation.fidelity.temperatures.map(({ temperature }) => temperature)).toEqual([1, 2, 4]);
    expect(first.evaluation.bootstrap?.labelled?.top1Difference.low).toBeLessThanOrEqual(0);
    expect(distillHtml(report)).toContain('Reliability');
    expect(markdownReport(report)).toContain('near.npy');
    expect(() => JSON.parse(reportJson(report))).not.toThrow();
  });

  it('judges budgets of every student', async () => {
    const budgets = [parseBudget('agreement=0.99'), parseBudget('kl=100'), parseBudget('ece=100%')];
    const report = await distill(input(), { budgets, resamples: 0 });
    expect(report.verdict).toBe('fail');
    expect(report.budgets?.map(({ metric, verdict }) => [metric, verdict])).toEqual([
      ['agreement', 'fail'],
      ['kl', 'pass'],
      ['ece', 'pass'],
    ]);
  });

  it.each([
    [
      'class counts that differ',
      () => input({ students: [logits('wide.npy', 30, 6, 2)] }),
      'SO4005',
      /6 classes.*has 5/,
    ],
    [
      'other numbers of samples',
      () => input({ students: [logits('short.npy', 29, 5, 2)] }),
      'SO4002',
      /29 samples.*has 30/,
    ],
    [
      'labels of other samples',
      () => input({ labelsPath: write('few.npy', int64([3], [0, 1, 2])) }),
      'SO4005',
      /3 labels/,
    ],
    [
      'a label out of range',
      () =>
        input({
          labelsPath: write(
            'high.npy',
            int64(
              [30],
              Array.from({ length: 30 }, (_, i) => (i === 7 ? 5 : 0)),
            ),
          ),
        }),
      'SO4005',
      /label 5 of sample 7/,
    ],
    [
      'NaN',
      () => input({ students: [logits('nan.npy', 30, 5, 2, (values) => (values[62] = Number.NaN))] }),
      'SO4006',
      /student has NaN for sample 12/,
    ],
    [
      'one number for each sample',
      () => input({ teacher: write('flat.npy', float32([30], new Array(30).fill(0))) }),
      'SO4002',
      /one number/,
    ],
  ] as const)('refuses %s in clear words', async (_, given, code, words) => {
    await expect(distill(given())).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
  });

  it('evaluates tokens that count, by a mask or by their labels', async () => {
    const values = Array.from({ length: 2 * 3 * 4 }, (_, i) => Math.sin(i));
    const teacher = write('tokens.npy', float32([2, 3, 4], values));
    const student = write(
      'tokens-student.npy',
      float32(
        [2, 3, 4],
        values.map((value) => value * 0.5),
      ),
    );
    const mask = write('mask.npy', int64([2, 3], [1, 1, 0, 1, 0, 0]));
    const rows = async (options: object, labelsPath?: string): Promise<number> => {
      const report = await distill(
        { kind: 'logits', teacher, students: [student], ...(labelsPath ? { labelsPath } : {}) },
        { resamples: 0, ...options },
      );
      const [first] = report.students;
      return first?.evaluation.kind === 'classes' ? first.evaluation.fidelity.rows : -1;
    };
    expect(await rows({})).toBe(6);
    expect(await rows({ mask })).toBe(3);
    expect(await rows({}, write('token-labels.npy', int64([2, 3], [0, -100, 1, 2, 3, -100])))).toBe(4);
  });
});

describe('distill on models', () => {
  it('finds that a model is its own student, and that a cached run says the same', async () => {
    const given: DistillInput = { kind: 'models', teacher: DIGITS, students: [DIGITS], dataPath: DATA };
    const options = { measure: false, resamples: 20, cachePath: join(folder, 'cache') };
    const first = await distill(given, options);
    const again = await distill(given, options);
    const [student] = first.students;
    expect(student?.evaluation.kind === 'classes' && student.evaluation.fidelity.agreement.top1.value).toBe(1);
    const plain = (report: DistillReport): string => reportJson(report).replaceAll(/,?\n *"cached": true(?=,?\n)/g, '');
    expect(plain(again)).toBe(plain(first));
    expect(again.teacher.cached).toBe(true);
  });

  it('refuses the cache of another teacher', async () => {
    const cachePath = join(folder, 'other-cache');
    const options = { measure: false, resamples: 0, cachePath };
    const kws = (name: string): string => join(KWS, name);
    await distill(
      { kind: 'models', teacher: kws('model.onnx'), students: [kws('model-fused.onnx')], dataPath: kws('eval.npz') },
      options,
    );
    await expect(
      distill(
        { kind: 'models', teacher: kws('model-fused.onnx'), students: [kws('model.onnx')], dataPath: kws('eval.npz') },
        options,
      ),
    ).rejects.toMatchObject({ code: 'SO4008', message: expect.stringContaining('another model') });
  });

  it('keeps the best classes of the teacher, says the same from the cache, and refuses another number of them', async () => {
    const given: DistillInput = {
      kind: 'models',
      teacher: join(KWS, 'model.onnx'),
      students: [join(KWS, 'model-fused.onnx')],
      dataPath: join(KWS, 'eval.npz'),
    };
    const cachePath = join(folder, 'top-k-cache');
    const options = { measure: false, resamples: 0, cachePath, cacheTopK: 3 };
    const whole = await distill(given, { measure: false, resamples: 0 });
    const first = await distill(given, options);
    const again = await distill(given, options);
    const [of, kept, cached] = [whole, first, again].map(({ students }) => students[0]?.evaluation);
    if (of?.kind !== 'classes' || kept?.kind !== 'top-k') throw new Error('of another kind');
    expect(cached).toEqual(kept);
    expect(again.teacher.cached).toBe(true);
    expect(kept.labelled?.teacher.top1.value).toBe(of.labelled?.teacher.top1.value);
    expect(kept.agreement.top1).toEqual(of.fidelity.agreement.top1);
    const kl = of.fidelity.temperatures[0]?.kl ?? Number.NaN;
    expect(kept.kl.low).toBeLessThanOrEqual(kl + 1e-6);
    expect(kept.kl.high).toBeGreaterThanOrEqual(kl - 1e-6);
    expect(first.notes.join(' ')).toContain('3 best of');
    expect(readdirSync(join(cachePath, 'teacher')).sort()).toEqual([
      'header.json',
      'teacher-top-classes.000.npy',
      'teacher-top-logs.000.npy',
    ]);
    await expect(distill(given, { ...options, cacheTopK: 2 })).rejects.toMatchObject({
      code: 'SO4008',
      message: expect.stringContaining('another number of classes'),
    });
    await expect(
      distill(given, { ...options, cachePath: join(folder, 'too-many'), cacheTopK: 1000 }),
    ).rejects.toMatchObject({ code: 'SO1006' });
  });

  it('takes data of its own for a student, and refuses samples in another order', async () => {
    const digits = (name: string, labels: readonly number[], scale = 1): string => {
      const random = createRandom(3);
      const values = Array.from({ length: labels.length * 64 }, () => scale * Math.round(8 + 4 * random.normal()));
      const members = [{ name: 'X.npy', data: float32([labels.length, 64], values) }];
      const labelled = [...members, { name: 'labels.npy', data: int64([labels.length], labels) }];
      return write(name, zip(labels.length === 0 ? members : labelled));
    };
    const given = (own: string): DistillInput => ({
      kind: 'models',
      teacher: DIGITS,
      students: [DIGITS],
      dataPath: digits('teacher.npz', [3, 1, 4, 1]),
      studentDataPaths: [own],
    });
    const options = { measure: false, resamples: 0 };
    const distance = async (own: string): Promise<number> => {
      const [student] = (await distill(given(own), options)).students;
      return student?.evaluation.kind === 'classes' ? student.evaluation.fidelity.totalVariation : Number.NaN;
    };
    expect(await distance(digits('same.npz', [3, 1, 4, 1]))).toBe(0);
    expect(await distance(digits('darker.npz', [3, 1, 4, 1], 0.5))).toBeGreaterThan(0);
    await expect(distill(given(digits('turned.npz', [3, 4, 1, 1])), options)).rejects.toMatchObject({
      code: 'SO4002',
      message: '"turned.npz" has other labels than "teacher.npz"',
      why: 'sample 1 has 4 in the one, and 1 in the other',
    });
  });

  it('refuses a student of other classes and a tensor that there is not', async () => {
    const given: DistillInput = { kind: 'models', teacher: DIGITS, students: [DIGITS], dataPath: DATA };
    await expect(
      distill(given, { measure: false, features: [{ teacher: 'nowhere', student: 'nowhere' }] }),
    ).rejects.toMatchObject({ code: 'SO1003' });
  });
});
