import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binomialAtLeast,
  binomialAtMost,
  clopperPearsonLower,
  clopperPearsonUpper,
  leastRuns,
} from '../../src/bench/binomial.js';
import { inverseIncompleteBeta, regularizedIncompleteBeta } from '../../src/bench/incomplete-beta.js';
import { normalQuantile, normalUpperTail } from '../../src/bench/normal.js';
import { studentQuantile } from '../../src/bench/student.js';

/** P(at most `count`) summed term by term. */
function summed(count: number, runs: number, rate: number): number {
  let term = (1 - rate) ** runs;
  let sum = term;
  for (let k = 1; k <= count; k++) {
    term *= ((runs - k + 1) / k) * (rate / (1 - rate));
    sum += term;
  }
  return sum;
}

describe('regularizedIncompleteBeta', () => {
  it('has its closed forms', () => {
    for (const x of [0.001, 0.1, 0.37, 0.5, 0.9, 0.999]) {
      expect(regularizedIncompleteBeta(x, 1, 7)).toBeCloseTo(1 - (1 - x) ** 7, 13);
      expect(regularizedIncompleteBeta(x, 5, 1)).toBeCloseTo(x ** 5, 13);
      expect(regularizedIncompleteBeta(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 13);
    }
    expect(regularizedIncompleteBeta(0.5, 1e6, 1e6)).toBeCloseTo(0.5, 12);
    expect(regularizedIncompleteBeta(0, 2, 3)).toBe(0);
    expect(regularizedIncompleteBeta(1, 2, 3)).toBe(1);
  });

  it('is undone by its inverse, and mirrors', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
        fc.double({ min: 1, max: 5000, noNaN: true }),
        fc.double({ min: 1, max: 5000, noNaN: true }),
        (p, a, b) => {
          const x = inverseIncompleteBeta(p, a, b);
          const back = regularizedIncompleteBeta(x, a, b);
          // Where one step of a double in x moves the result by more, no x can be better.
          const step = Math.abs(regularizedIncompleteBeta(x + 2 ** -52, a, b) - back);
          expect(Math.abs(back - p)).toBeLessThan(1e-10 * p + 50 * step + 1e-13);
          expect(regularizedIncompleteBeta(x, a, b) + regularizedIncompleteBeta(1 - x, b, a)).toBeCloseTo(1, 8);
        },
      ),
    );
  });
});

describe('binomial tails', () => {
  it('agree with the sum of terms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.double({ min: 0.001, max: 0.4, noNaN: true }),
        (runs, share, rate) => {
          const count = Math.floor(share * runs);
          const sum = summed(count, runs, rate);
          expect(Math.abs(binomialAtMost(count, runs, rate) - sum)).toBeLessThan(1e-12);
          expect(Math.abs(binomialAtLeast(count + 1, runs, rate) - (1 - sum))).toBeLessThan(1e-12);
        },
      ),
    );
  });

  it('keep their digits for very many runs', () => {
    // Exact rational arithmetic gives (1 - 1e-6)^1e6 and the first terms.
    expect(binomialAtMost(0, 1e6, 1e-6) / Math.exp(1e6 * Math.log1p(-1e-6))).toBeCloseTo(1, 10);
    expect(binomialAtMost(2, 1e6, 1e-6) / summed(2, 1e6, 1e-6)).toBeCloseTo(1, 8);
  });

  it('rise with the count and fall with the rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3000 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.double({ min: 0.001, max: 0.5, noNaN: true }),
        (runs, share, rate) => {
          const count = Math.floor(share * (runs - 1));
          const here = binomialAtMost(count, runs, rate);
          expect(binomialAtMost(count + 1, runs, rate)).toBeGreaterThanOrEqual(here - 1e-13);
          expect(binomialAtMost(count, runs, rate * 1.1)).toBeLessThanOrEqual(here + 1e-13);
          expect(binomialAtMost(count, runs + 1, rate)).toBeLessThanOrEqual(here + 1e-13);
        },
      ),
    );
  });
});

describe('Clopper-Pearson bounds', () => {
  it('have known values', () => {
    // None over: 1 - tail^(1/n); all over is the mirror.
    expect(clopperPearsonUpper(0, 10, 0.05)).toBeCloseTo(1 - 0.05 ** 0.1, 13);
    expect(clopperPearsonLower(10, 10, 0.05)).toBeCloseTo(0.05 ** 0.1, 13);
    expect(clopperPearsonLower(0, 10, 0.05)).toBe(0);
    expect(clopperPearsonUpper(10, 10, 0.05)).toBe(1);
    // The two-sided 95 % interval of 5 in 10, and of 1 in 20.
    expect(clopperPearsonLower(5, 10, 0.025)).toBeCloseTo(0.187086, 6);
    expect(clopperPearsonUpper(5, 10, 0.025)).toBeCloseTo(0.812914, 6);
    expect(clopperPearsonLower(1, 20, 0.025)).toBeCloseTo(0.001265, 6);
    expect(clopperPearsonUpper(1, 20, 0.025)).toBeCloseTo(0.248733, 6);
  });

  it('are where the tails are as large as they may be, rise with the count, and hold the share seen', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(0.05, 0.025, 0.01, 0.001),
        (runs, share, tail) => {
          const count = Math.floor(share * (runs - 1));
          const upper = clopperPearsonUpper(count, runs, tail);
          const lower = clopperPearsonLower(count, runs, tail);
          expect(lower).toBeLessThanOrEqual(count / runs);
          expect(upper).toBeGreaterThan(count / runs);
          expect(binomialAtMost(count, runs, upper)).toBeCloseTo(tail, 9);
          if (count > 0) expect(binomialAtLeast(count, runs, lower)).toBeCloseTo(tail, 9);
          expect(clopperPearsonUpper(count + 1, runs, tail)).toBeGreaterThan(upper);
        },
      ),
    );
  });
});

describe('leastRuns', () => {
  it.each([
    [0.99, 0.95, [299, 473, 628, 773, 913, 1049, undefined, 1312]],
    [0.95, 0.95, [59, 93, 124, undefined, undefined, 208]],
    [0.9, 0.95, [29, 46]],
    [0.999, 0.95, [2995]],
    [0.99, 0.99, [459]],
    [0.95, 0.99, [90]],
    [0.9, 0.99, [44]],
    [0.5, 0.95, [5, 8]],
  ])('of p%d at %d are those of LoadGen', (probability, confidence, runs) => {
    for (const [over, expected] of runs.entries()) {
      if (expected !== undefined) expect(leastRuns(probability, confidence, over)).toBe(expected);
    }
  });
});

describe('normal and Student', () => {
  it('have the values of the tables', () => {
    expect(normalUpperTail(1.959963984540054)).toBeCloseTo(0.025, 14);
    expect(normalUpperTail(-1)).toBeCloseTo(0.8413447460685429, 14);
    expect(normalUpperTail(6) / 9.865876450376946e-10).toBeCloseTo(1, 12);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 11);
    expect(studentQuantile(0.025, 1)).toBeCloseTo(12.7062047361747, 8);
    expect(studentQuantile(0.025, 4)).toBeCloseTo(2.7764451051977987, 10);
    expect(studentQuantile(0.005, 2)).toBeCloseTo(9.924843200918, 8);
    expect(studentQuantile(0.025, 1e7)).toBeCloseTo(1.95996, 5);
  });
});
