import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapFigures, canonicalRecords } from '../../../src/evaluate/distill/bootstrap.js';
import { conventionLoss } from '../../../src/evaluate/distill/conventions.js';
import { mcnemarP } from '../../../src/evaluate/flips.js';
import { createRandom } from '../../../src/tensor/random.js';
import { evaluateRows, type Rows } from './evaluate-rows.js';

function randomRows(seed: number, rows: number, classes: number): Rows & { readonly labels: readonly number[] } {
  const random = createRandom(seed);
  const values = (): Float32Array => Float32Array.from({ length: rows * classes }, () => 3 * random.normal());
  const labels = Array.from({ length: rows }, () => random.integer(classes));
  return { rows, classes, topK: 2, bins: 5, temperatures: [1, 2, 7], teacher: values(), student: values(), labels };
}

function reordered(given: Rows & { readonly labels: readonly number[] }, order: readonly number[]): Rows {
  const move = (values: Float32Array | Float64Array): Float32Array => {
    const target = new Float32Array(values.length);
    for (const [to, from] of order.entries())
      target.set(values.subarray(from * given.classes, (from + 1) * given.classes), to * given.classes);
    return target;
  };
  return {
    ...given,
    teacher: move(given.teacher),
    student: move(given.student),
    labels: order.map((from) => given.labels[from] as number),
  };
}

/** Every number of two results, by its path. */
function numbersOf(value: unknown, path = ''): (readonly [string, number])[] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => numbersOf(each, `${path}.${key}`));
}

describe('the order of samples and their split into batches', () => {
  it('change no figure beyond 1e-9', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 2, max: 9 }),
        async (seed, rows, classes) => {
          const given = randomRows(seed, rows, classes);
          const random = createRandom(seed, 1);
          const order = given.labels.map((_, i) => i).sort(() => random.float() - 0.5);
          const parts = [random.integer(rows), random.integer(rows)].sort((a, b) => a - b);
          const whole = numbersOf(await evaluateRows(given));
          const other = new Map(numbersOf(await evaluateRows({ ...reordered(given, order), parts })));
          for (const [path, value] of whole) {
            if (Number.isNaN(value)) continue;
            const limit = 1e-9 * Math.max(1, Math.abs(value));
            expect(Math.abs((other.get(path) ?? Number.NaN) - value), path).toBeLessThanOrEqual(limit);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('change no bootstrap interval, as rows are resampled in an order of their own', () => {
    const random = createRandom(5);
    const records = Float64Array.from({ length: 60 }, () => random.float());
    const backwards = new Float64Array(60);
    for (let row = 0; row < 30; row++) backwards.set(records.subarray(row * 2, row * 2 + 2), (29 - row) * 2);
    const figures = (values: Float64Array): Float64Array =>
      bootstrapFigures({ records: canonicalRecords(values, 2), columns: 2, bins: 5, resamples: 20, seed: 0 }, 0, 20);
    expect(figures(backwards)).toEqual(figures(records));
  });
});

describe('losses and tests', () => {
  it('near half the variance of the differences of logits towards high temperatures', async () => {
    const given = randomRows(11, 20, 6);
    const { temperatures } = await evaluateRows({ ...given, temperatures: [1, 1000, 100_000] });
    let limit = 0;
    for (let row = 0; row < given.rows; row++) {
      const d = Array.from(
        { length: 6 },
        (_, i) => (given.teacher[row * 6 + i] as number) - (given.student[row * 6 + i] as number),
      );
      const mean = d.reduce((sum, value) => sum + value, 0) / 6;
      limit += d.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (2 * 6 * given.rows);
    }
    expect(temperatures[1]?.scaledKl).toBeCloseTo(limit, 1);
    expect(Math.abs((temperatures[2]?.scaledKl ?? 0) - limit)).toBeLessThan(1e-3 * limit);
  });

  it('are scaled as each library scales them', () => {
    const terms = {
      alpha: 0.3,
      temperature: 4,
      crossEntropy: 2,
      kl: 0.05,
      teacherEntropy: 1.5,
      classes: 10,
      rowsPerSample: 1,
    };
    const total = (convention: Parameters<typeof conventionLoss>[0]): number => conventionLoss(convention, terms).total;
    expect(total('standard')).toBeCloseTo(0.3 * 2 + 0.7 * 16 * 0.05, 12);
    expect(total('torchdistill')).toBeCloseTo(0.3 * 2 + 0.7 * 16 * 0.05, 12);
    expect(total('deit')).toBeCloseTo(0.7 * 2 + (0.3 * 16 * 0.05) / 10, 12);
    expect(total('textbrewer')).toBeCloseTo(0.3 * 2 + 0.7 * (0.05 + 1.5), 12);
    expect(total('sparseml')).toBeCloseTo(0.7 * 2 + 0.3 * 16 * 0.05, 12);
    expect(total('sparseml-factory')).toBeCloseTo(0.7 * 2 + 0.3 * 0.05, 12);
    expect(conventionLoss('haitongli', terms).softFactor).toBeCloseTo(0.1, 12);
    // Without labels torchdistill leaves out the square of the temperature.
    const { crossEntropy: _, ...soft } = terms;
    expect(conventionLoss('torchdistill', soft).total).toBeCloseTo(0.05, 12);
  });

  it('give the exact p-value of McNemar for few flips', () => {
    expect(mcnemarP(0, 0)).toBe(1);
    expect(mcnemarP(1, 5)).toBeCloseTo((2 * 7) / 64, 12);
    expect(mcnemarP(5, 5)).toBe(1);
  });
});
