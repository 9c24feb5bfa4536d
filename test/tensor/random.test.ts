import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/tensor/random.js';

describe('createRandom', () => {
  it('gives the same numbers for the same seeds, others for others', () => {
    const take = (...seeds: number[]) => Array.from({ length: 4 }, createRandom(...seeds).uint32);
    expect(take(1, 2)).toEqual(take(1, 2));
    expect(take(1, 2)).not.toEqual(take(2, 1));
    expect(take(0)).not.toEqual(take(2 ** 32));
    expect(take(42)).toMatchInlineSnapshot(`
      [
        1874330980,
        2143255774,
        4055375598,
        4093523872,
      ]
    `);
  });

  it('is standard normal and uniform where it says so', () => {
    const random = createRandom(5);
    const normals = Array.from({ length: 20_000 }, random.normal);
    const mean = normals.reduce((a, b) => a + b) / normals.length;
    const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) {
      const k = random.integer(3);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(200);
  });
});
