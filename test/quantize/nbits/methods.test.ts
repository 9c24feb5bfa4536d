import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { activationFactors, chooseScales } from '../../../src/quantize/nbits/activation-scales.js';
import { changeError, gptq } from '../../../src/quantize/nbits/gptq.js';
import { halfQuadratic } from '../../../src/quantize/nbits/half-quadratic.js';
import {
  dequantizedMatrix,
  type MatrixSource,
  type NBits,
  type PackedMatrix,
} from '../../../src/quantize/nbits/nbits-format.js';
import { quantizeBlocks } from '../../../src/quantize/nbits/quantize-blocks.js';
import { roundToNearest } from '../../../src/quantize/nbits/round-to-nearest.js';
import { scaleSearch } from '../../../src/quantize/nbits/scale-search.js';
import { Tensor } from '../../../src/tensor/tensor.js';

interface Expected {
  readonly bits: NBits;
  readonly block: number;
  readonly values: string;
}

/** What plain NumPy makes of a matrix: scripts/make-nbits-references.py. */
const { methods } = JSON.parse(readFileSync(new URL('references.json', import.meta.url), 'utf8')) as {
  readonly methods: {
    readonly outputs: number;
    readonly inputs: number;
    readonly weights: string;
    readonly gram: string;
    readonly hqq: readonly Expected[];
    readonly gptq: readonly Expected[];
    readonly awq: {
      readonly magnitudes: string;
      readonly layers: readonly string[];
      readonly cases: readonly {
        readonly bits: NBits;
        readonly block: number;
        readonly alpha: number;
        readonly factors: string;
        readonly noise: string;
      }[];
    };
  };
};

const buffer = (base64: string): ArrayBuffer => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
const floats = (base64: string): Float32Array => new Float32Array(buffer(base64));
const { outputs, inputs } = methods;
const weights = floats(methods.weights);
const gram = new Float64Array(buffer(methods.gram));
const source = { tensor: Tensor.float32(weights, [outputs, inputs]), first: 0, outputs, inputs, byOutput: true };
const errorOf = (packed: PackedMatrix | undefined): number =>
  changeError(
    dequantizedMatrix(packed as PackedMatrix).map((value, at) => value - (weights[at] as number)),
    outputs,
    gram,
  );

/** Largest difference of two matrices, over the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] as number))), 0) / largest;
}

describe('methods of weights', () => {
  for (const { bits, block, values } of methods.hqq)
    it(`halfQuadratic gives what NumPy gives: ${bits} bits`, () => {
      const format = { bits, block, symmetric: false };
      const made = quantizeBlocks(source, format, halfQuadratic(format)) as PackedMatrix;
      expect(difference(dequantizedMatrix(made), floats(values))).toBeLessThan(1e-6);
    });

  for (const { bits, block, values } of methods.gptq)
    it(`gptq gives what NumPy gives: ${bits} bits`, () => {
      const format = { bits, block, symmetric: true };
      const made = gptq(weights, outputs, gram, format) as PackedMatrix;
      expect(difference(dequantizedMatrix(made), floats(values))).toBeLessThan(1e-6);
    });

  const { awq } = methods;
  const magnitudes = new Float64Array(buffer(awq.magnitudes));
  for (const { bits, block, alpha, factors, noise } of awq.cases)
    it(`chooseScales finds what NumPy finds for layers of one input: ${bits} bits`, () => {
      const products = awq.layers.map((layer) => ({
        weights: floats(layer),
        outputs: floats(layer).length / inputs,
        gram,
        quantize: (matrix: MatrixSource) => roundToNearest(matrix, { bits, block, symmetric: true }),
      }));
      const chosen = chooseScales(products, magnitudes);
      expect(chosen.alpha).toBe(alpha);
      const expected = new Float64Array(buffer(factors));
      for (const [at, factor] of chosen.factors.entries()) expect(factor / (expected[at] as number)).toBeCloseTo(1, 12);
      // A weight that lies between two codes but for float noise may be either.
      for (const [at, value] of new Float64Array(buffer(noise)).entries())
        expect(Math.abs((chosen.noise[at] as number) / value - 1)).toBeLessThan(1e-3);
      expect(chosen.noise[Math.round(alpha * 20)]).toBeLessThan(chosen.noise[0] as number);
    });

  it('activationFactors makes nothing of inputs that are never active', () => {
    expect(activationFactors(new Float64Array(3), 0.5)).toEqual(new Float64Array(3).fill(1));
    expect(activationFactors(Float64Array.of(0, 1, 1e-9), 0.5).every((factor) => factor > 0)).toBe(true);
  });

  for (const symmetric of [true, false])
    for (const bits of [2, 4, 8] as const)
      it(`gptq loses least of the outputs, scale search least of the weights: ${bits} bits, symmetric ${symmetric}`, () => {
        const format = { bits, block: 32, symmetric };
        const nearest = roundToNearest(source, format) as PackedMatrix;
        const searched = quantizeBlocks(source, format, scaleSearch(format)) as PackedMatrix;
        const squared = (packed: PackedMatrix): number =>
          dequantizedMatrix(packed).reduce((sum, value, at) => sum + (value - (weights[at] as number)) ** 2, 0);
        expect(squared(searched)).toBeLessThanOrEqual(squared(nearest));
        expect(errorOf(gptq(weights, outputs, gram, format))).toBeLessThan(0.8 * errorOf(nearest));
      });

  it('read a matrix in either layout', () => {
    const turned = new Float32Array(weights.length);
    for (let n = 0; n < outputs; n++)
      for (let k = 0; k < inputs; k++) turned[k * outputs + n] = weights[n * inputs + k] as number;
    const upright = { ...source, tensor: Tensor.float32(turned, [inputs, outputs]), byOutput: false };
    for (const block of [32, 128]) {
      const format = { bits: 4, block, symmetric: true } as const;
      const [a, b] = [source, upright].map((each) => quantizeBlocks(each, format, scaleSearch(format)));
      expect(a).toEqual(b);
    }
  });

  it('gptq tells nothing from sums that tell nothing', () => {
    const format = { bits: 4, block: 32, symmetric: true } as const;
    expect(gptq(weights, outputs, new Float64Array(inputs * inputs), format)).toBeUndefined();
    expect(
      gptq(
        weights,
        outputs,
        gram.map(() => Number.NaN),
        format,
      ),
    ).toBeUndefined();
  });
});
