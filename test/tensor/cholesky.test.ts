import { describe, expect, it } from 'vitest';
import { factorCholesky, invertToUpper, solveCholesky } from '../../src/tensor/cholesky.js';
import { matrixProduct, plainProduct } from '../../src/tensor/matrix-product.js';
import { createRandom } from '../../src/tensor/random.js';

/** Around the sizes at which triangles are split and tiles end. */
const SIZES = [1, 2, 3, 31, 32, 33, 65, 130, 261];
const PRODUCTS = { 'in SIMD': matrixProduct(), 'in plain loops': plainProduct };

/** X·Xᵀ + n·1 of a random X. */
function definite(n: number): Float64Array {
  const random = createRandom(n);
  const x = Float64Array.from({ length: n * n }, () => random.normal());
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = i === j ? n : 0;
      for (let k = 0; k < n; k++) sum += (x[i * n + k] as number) * (x[j * n + k] as number);
      a[i * n + j] = sum;
    }
  return a;
}

function multiply(a: Float64Array, b: Float64Array, n: number, m: number): Float64Array {
  const c = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++)
      for (let o = 0; o < m; o++)
        c[i * m + o] = (c[i * m + o] as number) + (a[i * n + k] as number) * (b[k * m + o] as number);
  return c;
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] as number))), 0);
}

for (const [how, product] of Object.entries(PRODUCTS)) {
  describe(`factorCholesky ${how}`, () => {
    it.each(SIZES)('gives L with A = L·Lᵀ for %i unknowns', (n) => {
      const a = definite(n);
      const l = Float64Array.from(a);
      expect(factorCholesky(l, n, { product })).toBe(true);
      let most = 0;
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let k = 0; k <= j; k++) sum += (l[i * n + k] as number) * (l[j * n + k] as number);
          most = Math.max(most, Math.abs(sum - (a[i * n + j] as number)));
        }
      expect(most).toBeLessThan(1e-10 * n);
    });

    it.each([2, 70, 140])('refuses %i unknowns with a matrix that is not positive definite, or not finite', (n) => {
      for (const wrong of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
        const a = definite(n);
        a[n * n - 1] = wrong;
        expect(factorCholesky(a, n, { product })).toBe(false);
      }
    });
  });

  describe(`solveCholesky ${how}`, () => {
    it.each(SIZES)('solves a system of %i unknowns for one right side and for several', (n) => {
      for (const m of [1, 3, 37]) {
        const random = createRandom(m);
        const solution = Float64Array.from({ length: n * m }, () => random.normal());
        const b = multiply(definite(n), solution, n, m);
        expect(solveCholesky(definite(n), n, b, m, { product })).toBe(true);
        expect(largestDifference(b, solution)).toBeLessThan(1e-10);
      }
    });
  });

  describe(`invertToUpper ${how}`, () => {
    it.each(SIZES)('gives an upper U with A·Uᵀ·U = 1 for %i unknowns', (n) => {
      const u = definite(n);
      expect(invertToUpper(u, n, { product })).toBe(true);
      const inverse = new Float64Array(n * n);
      let below = 0;
      for (let k = 0; k < n; k++)
        for (let i = 0; i < n; i++) {
          if (i < k) below = Math.max(below, Math.abs(u[k * n + i] as number));
          for (let j = 0; j < n; j++)
            inverse[i * n + j] = (inverse[i * n + j] as number) + (u[k * n + i] as number) * (u[k * n + j] as number);
        }
      expect(below).toBe(0);
      const one = new Float64Array(n * n).map((_, at) => (at % (n + 1) === 0 ? 1 : 0));
      expect(largestDifference(multiply(definite(n), inverse, n, n), one)).toBeLessThan(1e-10);
    });
  });
}
