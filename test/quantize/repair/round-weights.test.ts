import { describe, expect, it } from 'vitest';
import { outputError, roundWeights } from '../../../src/quantize/repair/round-weights.js';
import { createRandom } from '../../../src/tensor/random.js';

const OUTPUTS = 5;

/** Weights, a Gram matrix of correlated inputs, and the grid of 8 bits as the quantizer makes it. */
function layer(inputs: number, steps: number) {
  const source = createRandom(inputs);
  const random = (): number => source.float();
  const weights = Float64Array.from({ length: inputs * OUTPUTS }, () => random() - 0.5);
  const rows = Array.from({ length: 2 * inputs }, () => {
    const common = random() - 0.5;
    return Array.from({ length: inputs }, () => common + 0.3 * (random() - 0.5));
  });
  const gram = new Float64Array(inputs * inputs);
  for (const row of rows)
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < inputs; j++)
        gram[i * inputs + j] = (gram[i * inputs + j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0);
  const scales = Float64Array.from({ length: OUTPUTS }, (_, o) => {
    const own = weights.filter((_value, at) => at % OUTPUTS === o).map(Math.abs);
    return Math.max(...own) / steps;
  });
  const rounded = weights.map((value, at) => Math.round(value / (scales[at % OUTPUTS] ?? 1)));
  return { weights, gram, grid: { scales, zeroPoints: new Float64Array(OUTPUTS), rounded } };
}

describe('roundWeights', () => {
  it.each([
    [12, 7],
    [60, 127],
    [300, 7],
  ])('of %i inputs to %i steps gives outputs with less error than rounding each weight', (inputs, steps) => {
    const { weights, gram, grid } = layer(inputs, steps);
    const made = roundWeights(weights, new Float64Array(gram), inputs, grid) ?? new Float64Array();
    const errorOf = (values: Float64Array): number =>
      outputError(
        values.map((value, at) => value - (weights[at] ?? 0)),
        gram,
        inputs,
      );
    const alone = grid.rounded.map((value, at) => value * (grid.scales[at % OUTPUTS] ?? 1));
    expect(errorOf(made)).toBeLessThan(0.5 * errorOf(alone));
  });

  it('stays on the grid, and keeps the largest weight of each output, from which the scale is found again', () => {
    const { weights, gram, grid } = layer(40, 127);
    const made = roundWeights(weights, gram, 40, grid) ?? new Float64Array();
    for (let o = 0; o < OUTPUTS; o++) {
      const scale = grid.scales[o] ?? 1;
      const integers = [...made].filter((_, at) => at % OUTPUTS === o).map((value) => value / scale);
      expect(integers.every((value) => Math.abs(value - Math.round(value)) < 1e-9)).toBe(true);
      expect(Math.max(...integers.map(Math.abs))).toBeCloseTo(127, 9);
    }
  });

  it('gives nothing for inputs that are all zero or not finite', () => {
    const { weights, grid } = layer(12, 7);
    expect(roundWeights(weights, new Float64Array(144), 12, grid)).toBeUndefined();
    expect(roundWeights(weights, new Float64Array(144).fill(Number.NaN), 12, grid)).toBeUndefined();
  });
});
