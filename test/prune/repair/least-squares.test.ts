import { describe, expect, it } from 'vitest';
import { fitLinear, type LinearFit, type NormalSums, squaredError } from '../../../src/prune/repair/least-squares.js';
import { createRandom } from '../../../src/tensor/random.js';

/** Rows of inputs and of the outputs that a layer should have. */
interface Rows {
  readonly x: readonly Float64Array[];
  readonly y: readonly Float64Array[];
}

function sumsOf({ x, y }: Rows): NormalSums {
  const inputs = x[0]?.length ?? 0;
  const outputs = y[0]?.length ?? 0;
  const sums = {
    inputs,
    outputs,
    gram: new Float64Array(inputs * inputs),
    cross: new Float64Array(inputs * outputs),
    sumX: new Float64Array(inputs),
    sumY: new Float64Array(outputs),
    energy: new Float64Array(outputs),
    rows: x.length,
  };
  for (const [row, own] of x.entries()) {
    const target = y[row] as Float64Array;
    own.forEach((a, i) => {
      sums.sumX[i] = (sums.sumX[i] as number) + a;
      own.forEach((b, j) => {
        sums.gram[i * inputs + j] = (sums.gram[i * inputs + j] as number) + a * b;
      });
      target.forEach((b, o) => {
        sums.cross[i * outputs + o] = (sums.cross[i * outputs + o] as number) + a * b;
      });
    });
    target.forEach((b, o) => {
      sums.sumY[o] = (sums.sumY[o] as number) + b;
      sums.energy[o] = (sums.energy[o] as number) + b * b;
    });
  }
  return sums;
}

function predicted(fit: LinearFit, x: Float64Array, outputs: number): Float64Array {
  return Float64Array.from({ length: outputs }, (_, o) =>
    x.reduce((sum, value, i) => sum + value * (fit.weights[i * outputs + o] as number), fit.bias[o] as number),
  );
}

function directError({ x, y }: Rows, fit: LinearFit): number {
  let error = 0;
  for (const [row, own] of x.entries()) {
    const target = y[row] as Float64Array;
    predicted(fit, own, target.length).forEach((value, o) => {
      error += ((target[o] as number) - value) ** 2;
    });
  }
  return error;
}

/** Outputs of a random layer with bias on inputs that depend on each other, with noise. */
function example(seed: number, rows = 200, inputs = 7, outputs = 3, noise = 0): Rows & { readonly truth: LinearFit } {
  const random = createRandom(seed);
  const truth = {
    weights: Float64Array.from({ length: inputs * outputs }, () => random.normal()),
    bias: Float64Array.from({ length: outputs }, () => 3 * random.normal()),
  };
  const x = Array.from({ length: rows }, () => {
    const shared = random.normal();
    return Float64Array.from({ length: inputs }, (_, i) => random.normal() + shared + i);
  });
  const y = x.map((own) => predicted(truth, own, outputs).map((value) => value + noise * random.normal()));
  return { x, y, truth };
}

describe('squaredError', () => {
  it('is by the sums alone what it is row by row', () => {
    const rows = example(3, 50, 5, 4, 0.5);
    const other = example(4, 1, 5, 4).truth;
    const direct = directError(rows, other);
    expect(squaredError(sumsOf(rows), other) / direct).toBeCloseTo(1, 9);
  });
});

describe('fitLinear', () => {
  it('finds weights and bias that give the outputs, but for the pull to the given weights', () => {
    const rows = example(1);
    const start = { weights: new Float64Array(21), bias: new Float64Array(3) };
    const fit = fitLinear(sumsOf(rows), start, true);
    expect(fit).toBeDefined();
    const [before, after] = [directError(rows, start), directError(rows, fit as LinearFit)];
    expect(after).toBeLessThan(before / 500);
  });

  it('has no smaller error nearby, with its pull', () => {
    const rows = example(2, 80, 4, 2, 1);
    const sums = sumsOf(rows);
    const start = { weights: Float64Array.from({ length: 8 }, (_, i) => i / 8), bias: new Float64Array(2) };
    const fit = fitLinear(sums, start, true) as LinearFit;
    const centred = Array.from(
      { length: 4 },
      (_, i) => (sums.gram[i * 5] as number) - (sums.sumX[i] as number) ** 2 / 80,
    );
    const ridge = (0.01 * centred.reduce((sum, value) => sum + value, 0)) / 4;
    const cost = (each: LinearFit): number =>
      squaredError(sums, each) +
      ridge * each.weights.reduce((sum, weight, at) => sum + (weight - (start.weights[at] as number)) ** 2, 0);
    const best = cost(fit);
    for (let at = 0; at < 8; at++)
      for (const step of [-1e-3, 1e-3]) {
        const weights = fit.weights.map((weight, k) => (k === at ? weight + step : weight));
        expect(cost({ weights, bias: fit.bias })).toBeGreaterThan(best);
      }
    for (let at = 0; at < 2; at++)
      expect(cost({ weights: fit.weights, bias: fit.bias.map((b, k) => (k === at ? b + 1e-3 : b)) })).toBeGreaterThan(
        best,
      );
  });

  it('leaves the bias alone where there is none to set', () => {
    const fit = fitLinear(sumsOf(example(5)), { weights: new Float64Array(21), bias: Float64Array.of(1, 2, 3) }, false);
    expect(fit?.bias).toEqual(Float64Array.of(1, 2, 3));
  });

  it('gives nothing for inputs that are all zero, not finite, or not there', () => {
    const start = { weights: new Float64Array(2), bias: new Float64Array(1) };
    const zero = sumsOf({ x: [new Float64Array(2)], y: [Float64Array.of(1)] });
    expect(fitLinear(zero, start, true)).toBeUndefined();
    expect(fitLinear({ ...zero, gram: new Float64Array(4).fill(Number.NaN) }, start, true)).toBeUndefined();
    expect(fitLinear({ ...zero, rows: 0 }, start, true)).toBeUndefined();
  });
});
