import { describe, expect, it } from 'vitest';
import { surgeonPrune, wandaPrune } from '../../../src/prune/repair/surgeon.js';
import { createRandom } from '../../../src/tensor/random.js';

/** A Gram matrix of inputs that depend on each other. */
function gramOf(inputs: number, seed: number, rows = 3 * inputs): Float64Array {
  const random = createRandom(seed);
  const gram = new Float64Array(inputs * inputs);
  for (let row = 0; row < rows; row++) {
    const shared = random.normal();
    const x = Float64Array.from({ length: inputs }, () => random.normal() + shared);
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < inputs; j++)
        gram[i * inputs + j] = (gram[i * inputs + j] as number) + (x[i] as number) * (x[j] as number);
  }
  return gram;
}

function weightsOf(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
}

/** tr (W − W₀)ᵀ G (W − W₀): how much the outputs of the layer changed. */
function change(a: Float64Array, b: Float64Array, gram: Float64Array, inputs: number): number {
  const outputs = a.length / inputs;
  const difference = a.map((value, at) => value - (b[at] as number));
  let sum = 0;
  for (let i = 0; i < inputs; i++)
    for (let j = 0; j < inputs; j++)
      for (let o = 0; o < outputs; o++)
        sum +=
          (gram[i * inputs + j] as number) *
          (difference[i * outputs + o] as number) *
          (difference[j * outputs + o] as number);
  return sum;
}

/** Inverse by elimination: a reference that shares nothing with what is tested. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < n; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row) => (Math.abs(row[k] as number) > Math.abs(best[k] as number) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(k, 0, pivot);
    const scale = pivot[k] as number;
    for (let j = 0; j < 2 * n; j++) pivot[j] = (pivot[j] as number) / scale;
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[k] as number;
      for (let j = 0; j < 2 * n; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** The same by its definition: for each input in order, with the inverse of the Hessian of the inputs that are left. */
function reference(weights: Float64Array, gram: Float64Array, inputs: number, kept: number, of: number): Float64Array {
  const outputs = weights.length / inputs;
  const result = Float64Array.from(weights);
  const mean =
    Array.from({ length: inputs }, (_, i) => gram[i * inputs + i] as number).reduce((a, b) => a + b) / inputs;
  const hessian = Array.from({ length: inputs }, (_, i) =>
    Array.from({ length: inputs }, (_, j) => (gram[i * inputs + j] as number) + (i === j ? 0.01 * mean : 0)),
  );
  const inverses = Array.from({ length: inputs }, (_, i) => inverse(hessian.slice(i).map((row) => row.slice(i))));
  for (let start = 0; start < inputs; start += of) {
    const members = Array.from({ length: of }, (_, k) => start + k);
    for (let o = 0; o < outputs; o++) {
      const cost = new Map(
        members.map((i) => [i, (result[i * outputs + o] as number) ** 2 / (inverses[i]?.[0]?.[0] as number)]),
      );
      const gone = new Set(
        [...members].sort((a, b) => (cost.get(b) as number) - (cost.get(a) as number) || a - b).slice(kept),
      );
      for (const i of members) {
        if (!gone.has(i)) continue;
        const own = inverses[i] as number[][];
        const error = (result[i * outputs + o] as number) / (own[0]?.[0] as number);
        for (let j = i; j < inputs; j++)
          result[j * outputs + o] = (result[j * outputs + o] as number) - error * (own[0]?.[j - i] as number);
        result[i * outputs + o] = 0;
      }
    }
  }
  return result;
}

describe('surgeonPrune', () => {
  it.each([
    [8, 3, 2, 4],
    [12, 2, 1, 4],
    [16, 1, 4, 8],
  ])(
    'gives, for %i inputs and %i outputs, what the definition gives with %i of %i kept',
    (inputs, outputs, kept, of) => {
      const gram = gramOf(inputs, inputs);
      const weights = weightsOf(inputs * outputs, 7);
      const expected = reference(weights, gram, inputs, kept, of);
      const zeros = surgeonPrune(weights, Float64Array.from(gram), inputs, { amount: 0, pattern: { kept, of } });
      expect(zeros).toBe((inputs * outputs * (of - kept)) / of);
      for (const [at, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[at] as number, 7);
    },
  );

  it.each([0.25, 0.5, 0.9])('changes the outputs less than the smallest magnitudes do, at a share of %f', (amount) => {
    const inputs = 200;
    const gram = gramOf(inputs, 1);
    const weights = weightsOf(inputs * 4, 2);
    const surgeon = Float64Array.from(weights);
    const zeros = surgeonPrune(surgeon, Float64Array.from(gram), inputs, { amount }) as number;
    expect(zeros).toBe(surgeon.filter((weight) => weight === 0).length);
    expect(Math.abs(zeros - amount * weights.length)).toBeLessThanOrEqual(2);
    const limit = Float64Array.from(weights, Math.abs).sort()[zeros] as number;
    const smallest = weights.map((weight) => (Math.abs(weight) < limit ? 0 : weight));
    expect(change(surgeon, weights, gram, inputs)).toBeLessThan(0.9 * change(smallest, weights, gram, inputs));
  });

  it('takes all weights of an input that is always zero', () => {
    const gram = gramOf(4, 3);
    for (let k = 0; k < 4; k++) gram[k] = gram[k * 4] = 0;
    const weights = weightsOf(8, 4);
    surgeonPrune(weights, gram, 4, { amount: 0.25 });
    expect([...weights.subarray(0, 2)]).toEqual([0, 0]);
  });

  it('says so where the samples do not tell', () => {
    expect(surgeonPrune(weightsOf(8, 5), new Float64Array(16), 4, { amount: 0.5 })).toBeUndefined();
    expect(surgeonPrune(weightsOf(8, 5), new Float64Array(16).fill(Number.NaN), 4, { amount: 0.5 })).toBeUndefined();
  });
});

describe('wandaPrune', () => {
  it('weighs each weight by the norm of its input, output by output', () => {
    const gram = new Float64Array(16);
    [1, 100, 4, 0.01].forEach((square, i) => {
      gram[i * 5] = square;
    });
    // Outputs in columns: costs of the first are 5, 10, 2, 0.3, of the second 1, 20, 0.2, 0.9.
    const weights = Float64Array.of(5, 1, 1, 2, 1, 0.1, 3, 9);
    expect(wandaPrune(weights, gram, 4, { amount: 0.5 })).toBe(4);
    expect([...weights]).toEqual([5, 1, 1, 2, 0, 0, 0, 0]);
  });
});
