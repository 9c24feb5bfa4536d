import { describe, expect, it } from 'vitest';
import { FeatureSimilarity } from '../../../src/evaluate/distill/feature-similarity.js';
import { RelatedSamples } from '../../../src/evaluate/distill/related-samples.js';
import { createRandom } from '../../../src/tensor/random.js';

describe('CKA of related samples', () => {
  it('is that of sums over samples, of unequal widths too', () => {
    const [rows, widthT, widthS] = [40, 7, 3];
    const random = createRandom(5);
    const teacher = Float64Array.from({ length: rows * widthT }, () => 1 + random.normal());
    const student = Float64Array.from({ length: rows * widthS }, (_, i) => {
      const row = Math.floor(i / widthS);
      return (teacher[row * widthT + (i % widthS)] as number) + random.normal();
    });
    const sums = new FeatureSimilarity(widthT, widthS);
    const related = new RelatedSamples(widthT, widthS);
    for (let row = 0; row < rows; row++) {
      const observed = { teacher, student, teacherFrom: row * widthT, studentFrom: row * widthS };
      sums.observe(observed);
      related.observe(observed);
    }
    const [wanted, { similarity }] = [sums.result(), related.result()];
    expect(similarity?.rows).toBe(rows);
    expect(similarity?.cka).toBeCloseTo(wanted.cka, 10);
    expect(similarity?.debiasedCka).toBeCloseTo(wanted.debiasedCka as number, 10);
  });

  it('is of 256 samples at most, whatever their order', () => {
    const rows = 300;
    const values = Float64Array.from({ length: rows }, (_, i) => Math.sin(i * i));
    const of = (order: readonly number[]) => {
      const related = new RelatedSamples(1, 1);
      for (const row of order)
        related.observe({ teacher: values, student: values, teacherFrom: row, studentFrom: (row * 7) % rows });
      return related.result().similarity;
    };
    const order = Array.from({ length: rows }, (_, i) => i);
    const first = of(order);
    expect(first?.rows).toBe(256);
    expect(of(order.toReversed())?.cka).toBeCloseTo(first?.cka as number, 12);
  });
});
