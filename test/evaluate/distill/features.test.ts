import { describe, expect, it } from 'vitest';
import {
  AttentionPairs,
  AttentionTransferPairs,
  FeaturePairs,
  type FeatureRow,
} from '../../../src/evaluate/distill/feature-pairs.js';
import { FeatureSimilarity } from '../../../src/evaluate/distill/feature-similarity.js';
import { RidgeProjection } from '../../../src/evaluate/distill/ridge-projection.js';
import { sampleRelations } from '../../../src/evaluate/distill/sample-relations.js';
import { createRandom } from '../../../src/tensor/random.js';
import { references } from './reference-file.js';

interface FeatureCase {
  readonly name: string;
  readonly teacherDims: readonly number[];
  readonly studentDims: readonly number[];
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly expected: Readonly<Record<string, number>>;
}

const features = references<readonly FeatureCase[]>('features');

const widthOf = (dims: readonly number[]): number => dims.slice(1).reduce((product, size) => product * size, 1);

function rowsOf({ teacherDims, studentDims, teacher, student }: FeatureCase): FeatureRow[] {
  const [t, s] = [Float64Array.from(teacher), Float64Array.from(student)];
  const [widthT, widthS] = [widthOf(teacherDims), widthOf(studentDims)];
  return Array.from({ length: teacherDims[0] ?? 0 }, (_, i) => ({
    teacher: t,
    student: s,
    teacherFrom: i * widthT,
    studentFrom: i * widthS,
  }));
}

describe('terms of features', () => {
  it.each(features)('are those of numpy for $name, whole or merged from two parts', (given) => {
    const rows = rowsOf(given);
    const [widthT, widthS] = [widthOf(given.teacherDims), widthOf(given.studentDims)];
    const n = rows.length;
    const merged = <A extends { observe(row: FeatureRow): void; merge(other: A): void }>(make: () => A): A => {
      const [a, b] = [make(), make()];
      for (const [i, row] of rows.entries()) (i < n / 3 ? a : b).observe(row);
      a.merge(b);
      return a;
    };
    const similarity = merged(() => new FeatureSimilarity(widthT, widthS)).result();
    const relations = sampleRelations(
      { values: Float64Array.from(given.teacher), samples: n, width: widthT },
      { values: Float64Array.from(given.student), samples: n, width: widthS },
    );
    const found: Record<string, number | undefined> = { ...similarity, ...relations };
    if (given.expected.mse !== undefined) Object.assign(found, merged(() => new FeaturePairs(widthT)).result());
    if (given.expected.attentionTransferCode !== undefined) {
      const [, teacherChannels = 0, height = 0, width = 0] = given.teacherDims;
      const shape = { teacherChannels, studentChannels: given.studentDims[1] ?? 0, places: height * width };
      const { paper, code } = merged(() => new AttentionTransferPairs(shape)).result();
      Object.assign(found, { attentionTransferPaper: paper, attentionTransferCode: code });
    }
    for (const [name, value] of Object.entries(given.expected))
      expect(Math.abs((found[name] ?? Number.NaN) - value), `${name} is ${found[name]}`).toBeLessThan(1e-9);
  });

  it('find that a linear image of the student is predicted by a ridge projection', () => {
    const random = createRandom(3);
    const ridge = new RidgeProjection(3, 5);
    const weights = Array.from({ length: 15 }, () => random.normal());
    for (let i = 0; i < 400; i++) {
      const student = Float64Array.from({ length: 5 }, () => random.normal());
      const teacher = Float64Array.from({ length: 3 }, (_, j) =>
        student.reduce((sum, value, k) => sum + value * (weights[k * 3 + j] ?? 0), 2),
      );
      ridge.observe({ teacher, student, teacherFrom: 0, studentFrom: 0 });
    }
    const result = ridge.result();
    expect((result?.fitted ?? 0) + (result?.judged ?? 0)).toBe(400);
    expect(result?.share).toBeLessThan(1e-4);
  });

  it('leave masked queries and keys of attention maps out', () => {
    const uniform = Float64Array.from([0.5, 0.5, 0, 0.5, 0.5, 0, 1, 0, 0]);
    const other = Float64Array.from([0.9, 0.1, 0, 0.5, 0.5, 0, 0, 0, 1]);
    const pairs = new AttentionPairs({ teacherHeads: 1, studentHeads: 1, queries: 3, keys: 3 });
    pairs.observe({ teacher: uniform, student: other, teacherFrom: 0, studentFrom: 0, mask: [1, 1, 0] });
    const kl = 0.5 * Math.log(0.5 / 0.9) + 0.5 * Math.log(0.5 / 0.1);
    expect(pairs.result().kl).toBeCloseTo(kl / 2, 12);
    expect(pairs.result().mse).toBeCloseTo((2 * 0.4 ** 2) / 4, 12);
  });
});
