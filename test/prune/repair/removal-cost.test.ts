import { describe, expect, it } from 'vitest';
import { removalCosts } from '../../../src/prune/repair/removal-cost.js';
import { solveCholesky } from '../../../src/tensor/cholesky.js';
import { createRandom } from '../../../src/tensor/random.js';

const [INPUTS, OUTPUTS, ROWS] = [6, 3, 60];

/** Inputs that depend on each other, as those of a layer do. */
function inputs(): Float64Array[] {
  const random = createRandom(3);
  return Array.from({ length: ROWS }, () => {
    const shared = random.float() - 0.5;
    return Float64Array.from({ length: INPUTS }, (_, at) => (random.float() - 0.5) * (1 + at) + shared);
  });
}

function gramOf(rows: readonly Float64Array[], inputs: readonly number[]): Float64Array {
  const gram = new Float64Array(inputs.length ** 2);
  for (const row of rows)
    for (const [a, i] of inputs.entries())
      for (const [b, j] of inputs.entries())
        gram[a * inputs.length + b] = (gram[a * inputs.length + b] as number) + (row[i] as number) * (row[j] as number);
  return gram;
}

describe('removalCosts', () => {
  const random = createRandom(7);
  const weights = Float64Array.from({ length: INPUTS * OUTPUTS }, () => random.float() - 0.5);

  it('are the least squared error with the other inputs fitted anew, damping included', () => {
    const all = Array.from({ length: INPUTS }, (_, at) => at);
    const plain = gramOf(inputs(), all);
    const damping = (0.01 * all.reduce((sum, i) => sum + (plain[i * INPUTS + i] as number), 0)) / INPUTS;
    // A sample for each input alone adds the damping to the diagonal.
    const alone = all.map((i) => Float64Array.from(all, (j) => (i === j ? Math.sqrt(damping) : 0)));
    const rows = [...inputs(), ...alone];
    const sets = [[0], [5], [1, 2], [0, 3, 4]];
    const costs = removalCosts(weights, plain, INPUTS, sets);
    for (const [at, set] of sets.entries()) {
      const left = all.filter((input) => !set.includes(input));
      // The normal equations of the inputs that are left.
      const fitted = new Float64Array(left.length * OUTPUTS);
      const target = (row: Float64Array, o: number): number =>
        row.reduce((sum, x, i) => sum + x * (weights[i * OUTPUTS + o] as number), 0);
      for (const row of rows)
        for (const [a, i] of left.entries())
          for (let o = 0; o < OUTPUTS; o++)
            fitted[a * OUTPUTS + o] = (fitted[a * OUTPUTS + o] as number) + (row[i] as number) * target(row, o);
      expect(solveCholesky(gramOf(rows, left), left.length, fitted, OUTPUTS)).toBe(true);
      let error = 0;
      for (const row of rows)
        for (let o = 0; o < OUTPUTS; o++) {
          const given = left.reduce((sum, i, a) => sum + (row[i] as number) * (fitted[a * OUTPUTS + o] as number), 0);
          error += (given - target(row, o)) ** 2;
        }
      expect(Math.abs((costs?.[at] as number) / error - 1)).toBeLessThan(1e-9);
    }
  });

  it('cannot be told of inputs that are all zero', () => {
    expect(removalCosts(weights, new Float64Array(INPUTS * INPUTS), INPUTS, [[0]])).toBeUndefined();
  });
});
