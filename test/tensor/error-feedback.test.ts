import { describe, expect, it } from 'vitest';
import { invertToUpper } from '../../src/tensor/cholesky.js';
import { passErrorsOn } from '../../src/tensor/error-feedback.js';
import { createRandom, type Random } from '../../src/tensor/random.js';

const [INPUTS, OUTPUTS] = [37, 5];

/** Σ x·xᵀ of random samples whose inputs go together. */
function gramOf(random: Random): Float64Array {
  const gram = new Float64Array(INPUTS * INPUTS);
  for (let s = 0; s < 200; s++) {
    const shared = random.normal();
    const x = Float64Array.from({ length: INPUTS }, () => random.normal() + shared);
    for (let i = 0; i < INPUTS; i++)
      for (let j = 0; j < INPUTS; j++)
        gram[i * INPUTS + j] = (gram[i * INPUTS + j] as number) + (x[i] as number) * (x[j] as number);
  }
  return gram;
}

/** Weights rounded to tenths, in batches. */
function roundedTo(weights: Float64Array, factor: Float64Array, batch?: number): Float64Array {
  const left = weights.slice();
  const made = new Float64Array(weights.length);
  passErrorsOn(
    left,
    factor,
    INPUTS,
    (_, at, errors, diagonal) => {
      for (let o = 0; o < errors.length; o++) {
        const value = left[at + o] as number;
        made[at + o] = Math.round(value * 10) / 10;
        errors[o] = (value - (made[at + o] as number)) / diagonal;
      }
    },
    batch,
  );
  return made;
}

describe('passErrorsOn', () => {
  const random = createRandom(7);
  const gram = gramOf(random);
  const weights = Float64Array.from({ length: INPUTS * OUTPUTS }, () => random.normal());
  const factor = gram.slice();
  invertToUpper(factor, INPUTS);

  it.each([1, 2, 8, 36, 37])('gives the same in batches of %d inputs', (batch) => {
    expect(roundedTo(weights, factor, batch)).toEqual(roundedTo(weights, factor));
  });

  it('leaves less error in the outputs than changing each weight alone', () => {
    const error = (made: Float64Array): number => {
      let sum = 0;
      for (let o = 0; o < OUTPUTS; o++)
        for (let i = 0; i < INPUTS; i++)
          for (let j = 0; j < INPUTS; j++) {
            const [a, b] = [i * OUTPUTS + o, j * OUTPUTS + o];
            const change =
              ((weights[a] as number) - (made[a] as number)) * ((weights[b] as number) - (made[b] as number));
            sum += (gram[i * INPUTS + j] as number) * change;
          }
      return sum;
    };
    const alone = weights.map((weight) => Math.round(weight * 10) / 10);
    expect(error(roundedTo(weights, factor))).toBeLessThan(0.8 * error(alone));
  });

  it('changes nothing else where inputs do not go together', () => {
    const identity = new Float64Array(INPUTS * INPUTS);
    for (let i = 0; i < INPUTS; i++) identity[i * INPUTS + i] = 1;
    expect(roundedTo(weights, identity, 8)).toEqual(weights.map((weight) => Math.round(weight * 10) / 10));
  });
});
