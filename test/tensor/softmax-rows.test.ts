import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedKernels } from '../../scripts/gen-kernels.js';
import { createRandom } from '../../src/tensor/random.js';
import { type SoftmaxRows, softmaxRows } from '../../src/tensor/softmax-rows.js';

const SOURCE = join(import.meta.dirname, '../../src/tensor/softmax.generated.ts');

describe('loops over rows of scores', () => {
  it('are compiled from softmax.wat', async () => {
    const text = readFileSync(SOURCE, 'utf8');
    expect(text, 'run `node scripts/gen-kernels.js`').toBe(await generatedKernels('softmax'));
  });

  it.each([1, 2, 3, 10, 101, 1000])('give with SIMD what plain loops give, for %i classes', (width) => {
    const random = createRandom(width);
    const both = [softmaxRows(width, 1), softmaxRows(width, 1, true)] as const;
    for (let trial = 0; trial < 5; trial++) {
      const rows = [0, 1].map(() => Float64Array.from({ length: width }, () => 10 ** (trial - 1) * random.normal()));
      const figures = both.map((each) => figuresOf(each, rows as [Float64Array, Float64Array]));
      for (const [i, value] of (figures[0] ?? []).entries()) {
        const other = figures[1]?.[i] as number;
        expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(other)));
      }
    }
  });

  it('give 0 for exponents that are too small, and for masked scores', () => {
    const rows = softmaxRows(3, 0);
    rows.scores[0].set([0, -709, -1e100]);
    expect(rows.exponentiate(0, 0, 1)).toBe(1);
    expect([...rows.exponentials[0]]).toEqual([1, 0, 0]);
  });

  it('rank equal scores by their place', () => {
    const rows = softmaxRows(5, 0);
    rows.scores[0].set([1, 3, 1, 3, 1]);
    expect([0, 1, 2, 3, 4].map((place) => rows.rankOf(0, place))).toEqual([2, 0, 3, 1, 4]);
  });
});

function figuresOf(rows: SoftmaxRows, [a, b]: readonly [Float64Array, Float64Array]): number[] {
  rows.scores[0].set(a);
  rows.scores[1].set(b);
  const maxima = [Math.max(...a), Math.max(...b)] as const;
  const totals = [rows.exponentiate(0, maxima[0], 0.25), rows.exponentiate(1, maxima[1], 0.25)] as [number, number];
  const first = [...totals, ...Object.values(rows.divergences(totals, maxima)), ...rows.mixture(totals)];
  const squared = [rows.square(0, 2), rows.square(1, 2)] as [number, number];
  rows.addToClasses(0, squared);
  const { a: sums, ab } = rows.classSums(0);
  return [
    ...first,
    ...squared,
    ...Object.values(rows.divergences(squared, maxima)),
    ...rows.moments(1, maxima[1]),
    ...sums,
    ...ab,
  ];
}
