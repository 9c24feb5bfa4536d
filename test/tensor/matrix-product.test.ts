import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generatedKernels } from '../../scripts/gen-kernels.js';
import { type Block, matrixProduct, plainProduct } from '../../src/tensor/matrix-product.js';
import { createRandom } from '../../src/tensor/random.js';

describe('matrix.generated.ts', () => {
  it('is what matrix.wat compiles to', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../src/tensor/matrix.generated.ts'), 'utf8');
    expect(text, 'run `node scripts/gen-kernels.js`').toBe(await generatedKernels('matrix'));
  });
});

describe('the product in SIMD', () => {
  it('is not the plain loops, on a machine with SIMD', () => {
    expect(matrixProduct()).not.toBe(plainProduct);
  });

  const size = fc.integer({ min: 1, max: 280 });
  it('agrees with the plain loops for blocks of any size within larger arrays, turned or not', () => {
    fc.assert(
      fc.property(size, size, size, fc.boolean(), fc.boolean(), fc.integer(), (rows, inner, columns, ta, tb, seed) => {
        const random = createRandom(seed);
        const block = (height: number, width: number, turned: boolean): Block => {
          const [h, w] = turned ? [width, height] : [height, width];
          const stride = w + random.integer(4);
          const at = random.integer(5);
          return { data: Float64Array.from({ length: at + h * stride }, () => random.normal()), at, stride, turned };
        };
        const [a, b, c] = [block(rows, inner, ta), block(inner, columns, tb), block(rows, columns, false)];
        const own = { ...c, data: Float64Array.from(c.data) };
        matrixProduct()(own, a, b, rows, inner, columns);
        plainProduct(c, a, b, rows, inner, columns);
        const most = c.data.reduce((max, value, at) => Math.max(max, Math.abs((own.data[at] as number) - value)), 0);
        expect(most).toBeLessThan(1e-11 * inner);
      }),
      { numRuns: 30 },
    );
  });
});
