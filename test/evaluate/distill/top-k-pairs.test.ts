import { describe, expect, it } from 'vitest';
import { TopKPairs, topKLosses } from '../../../src/evaluate/distill/top-k-pairs.js';
import { expectNear, references } from './reference-file.js';

interface Case {
  readonly name: string;
  readonly dims: readonly [number, number];
  readonly k: number;
  readonly topK: number;
  readonly labels: readonly number[];
  readonly teacher: readonly number[];
  readonly student: readonly number[];
  readonly wholeKl: number;
  readonly wholeTotalVariation: number;
  readonly expected: unknown;
}

/** The k best classes of each row, and the logarithms of their probabilities and of the tail. */
function cells(scores: readonly number[], classes: number, k: number) {
  const ids: number[] = [];
  const logs: number[] = [];
  for (let from = 0; from < scores.length; from += classes) {
    const row = scores.slice(from, from + classes);
    const total = Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0));
    const order = row.map((_, i) => i).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
    for (const id of order.slice(0, k)) {
      ids.push(id);
      logs.push((row[id] as number) - total);
    }
    logs.push(Math.log(order.slice(k).reduce((sum, id) => sum + Math.exp((row[id] as number) - total), 0)));
    // The tail stands behind the classes of its row.
  }
  return { ids, logs };
}

describe('the best classes of a teacher', () => {
  it.each(references<readonly Case[]>('topK'))(
    'give the figures of numpy, and bounds that hold those of all classes: $name',
    ({ dims: [rows, classes], k, topK, labels, teacher, student, wholeKl, wholeTotalVariation, expected }) => {
      const { ids, logs } = cells(teacher, classes, k);
      const make = () => new TopKPairs({ classes, k, topK, bins: references<number>('bins') });
      const [a, b] = [make(), make()];
      for (let row = 0; row < rows; row++)
        (row < rows / 3 ? a : b).observe({
          ids,
          logs,
          row,
          student,
          studentFrom: row * classes,
          label: labels[row] as number,
          sample: row,
        });
      a.merge(b);
      const found = a.result();
      const side = (name: 'teacher' | 'student') => {
        const quality = found.labelled?.[name];
        return { top1: quality?.top1.value, topK: quality?.topK.value, ece: quality?.equalWidth.ece };
      };
      expectNear(
        {
          tailMass: found.tailMass,
          klLow: found.kl.low,
          totalVariationLow: found.totalVariation.low,
          agreement: found.agreement.top1.value,
          overlap: found.topK.overlap,
          teacher: side('teacher'),
          student: side('student'),
          nll: found.labelled?.student.nll,
        },
        expected,
        'figures',
      );
      const within = (value: number, { low, high }: { readonly low: number; readonly high: number }): void => {
        expect(low).toBeLessThanOrEqual(value + 1e-12);
        expect(high).toBeGreaterThanOrEqual(value - 1e-12);
      };
      within(wholeKl, found.kl);
      within(wholeTotalVariation, found.totalVariation);
      const [loss] = topKLosses(found, [0.25]);
      within(0.25 * (found.labelled?.student.nll ?? 0) + 0.75 * wholeKl, loss as { low: number; high: number });
    },
  );

  it('refuse NaN of the student with its sample', () => {
    const pairs = new TopKPairs({ classes: 3, k: 1, topK: 1, bins: 5 });
    const row = { ids: [0], logs: [-0.1, -2.35], row: 0, studentFrom: 0, label: -1 };
    expect(() => pairs.observe({ ...row, student: [0, Number.NaN, 1], sample: 7 })).toThrow(/NaN for sample 7/);
  });

  it('make the divergence infinite where the student masks a class that they hold', () => {
    const pairs = new TopKPairs({ classes: 3, k: 1, topK: 1, bins: 5 });
    const row = { ids: [0], logs: [-0.1, -2.35], row: 0, studentFrom: 0, label: -1, sample: 0 };
    pairs.observe({ ...row, student: [Number.NEGATIVE_INFINITY, 0, 1] });
    expect(pairs.result().kl).toEqual({ low: Number.POSITIVE_INFINITY, high: Number.POSITIVE_INFINITY });
  });
});
