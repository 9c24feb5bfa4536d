/** Sums of two products in 16 bits, as x86 CPUs without VNNI make them. */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { sumsIn16Bits } from '../../src/machine/dot-products.js';
import { LARGEST_PAIR, largestPairs, withoutSaturation } from '../../src/quantize/saturation.js';
import { S8_WEIGHTS, schemeOf } from '../../src/quantize/scheme.js';
import { type WeightedNode, weightedNode } from '../../src/quantize/weighted.js';
import { type WeightParameters, weightParameters, weightRanges } from '../../src/quantize/weights.js';

function layer(node: string, weight: string, data = 'float[1,4,2,2] x'): WeightedNode {
  const model = parseModel(
    `<ir_version: 8, opset_import: ["": 17]>\ng (${data}) => (float[] y) <${weight}> { y = ${node} }`,
  );
  const found = weightedNode([...model.graph.nodes][0] as never, false);
  if ('reason' in found) throw new Error(found.reason);
  return found;
}

function parameters({ weight, axis }: WeightedNode, perChannel = true): WeightParameters {
  const granularity = perChannel ? ({ kind: 'channel', axis } as const) : ({ kind: 'tensor' } as const);
  const scheme = schemeOf('s8', { symmetric: true, granularity });
  const ranges = weightRanges(weight, perChannel ? axis : undefined, true);
  if (!ranges) throw new Error('not finite');
  return weightParameters(ranges, scheme);
}

describe('withoutSaturation', () => {
  it('leaves weights alone whose neighbours never sum up to more than 128', () => {
    const one = layer('Conv (x, w)', 'float[1,4,1,1] w = {1, -0.9, 0.01, 0.9}');
    expect(withoutSaturation(one, parameters(one))).toEqual(parameters(one));
  });

  it('makes only the channels that overflow smaller, and no more than it takes', () => {
    const one = layer('Conv (x, w)', 'float[2,4,1,1] w = {1, 0.5, 0, 0, 1, 0, 0, 1}');
    const before = parameters(one);
    const after = withoutSaturation(one, before);
    expect(after.scales[1]).toBe(before.scales[1]);
    // 1 + 0.5 at the scale 1 / 127 is 191.
    expect((after.scales[0] as number) / (before.scales[0] as number)).toBeCloseTo(191 / 128, 1);
    expect(Math.max(...largestPairs(one, after))).toBeLessThanOrEqual(LARGEST_PAIR);
  });

  it('never takes more than one bit', () => {
    const one = layer('Conv (x, w)', 'float[1,4,1,1] w = {1, 1, -1, -1}');
    const [before, after] = [parameters(one), withoutSaturation(one, parameters(one))];
    expect((after.scales[0] as number) / (before.scales[0] as number)).toBeLessThanOrEqual(127 / 64);
  });

  it('pairs channels of one position, rows of a matrix, and turned matrices as kernels do', () => {
    const spatial = layer('Conv (x, w)', 'float[1,2,1,2] w = {1, 0, 0, 1}');
    expect([...largestPairs(spatial, parameters(spatial))]).toEqual([127]);
    const [straight, turned] = [
      layer('MatMul (x, w)', 'float[2,2] w = {1, 0, 1, 0.5}', 'float[1,2] x'),
      layer('Gemm <transB: int = 1> (x, w)', 'float[2,2] w = {1, 1, 0, 0.5}', 'float[1,2] x'),
    ];
    expect([...largestPairs(straight, parameters(straight))]).toEqual([254, 127]);
    expect([...largestPairs(turned, parameters(turned))]).toEqual([254, 127]);
  });

  it('takes both pairings of an odd number of channels', () => {
    const one = layer('Conv (x, w)', 'float[1,3,1,2] w = {0, 1, 0, 0, 1, 0}', 'float[1,3,2,2] x');
    // Channel 2 of the first position, and channel 0 of the second.
    expect([...largestPairs(one, parameters(one))]).toEqual([254]);
  });

  it('leaves depthwise convolutions and UINT8 weights alone: they are summed in 32 bits', () => {
    const one = layer('Conv <group: int = 4> (x, w)', 'float[4,1,1,2] w = {1, 1, 1, 1, 1, 1, 1, 1}');
    expect(withoutSaturation(one, parameters(one))).toEqual(parameters(one));
    const unsigned = layer('Conv (x, w)', 'float[1,4,1,1] w = {1, 1, 1, 1}');
    const ranges = { min: Float32Array.of(-1), max: Float32Array.of(1) };
    const scheme = weightParameters(ranges, schemeOf('u8'));
    expect(withoutSaturation(unsigned, scheme)).toBe(scheme);
  });

  it('does nothing to 7 bits', () => {
    const one = layer('Conv (x, w)', 'float[1,4,1,1] w = {1, 1, 1, 1}');
    const seven = weightParameters(
      { min: Float32Array.of(-1), max: Float32Array.of(1) },
      { ...S8_WEIGHTS, granularity: { kind: 'channel', axis: 0 }, reduceRange: true },
    );
    expect(withoutSaturation(one, seven)).toBe(seven);
    expect(Math.max(...largestPairs(one, seven))).toBe(LARGEST_PAIR);
  });
});

describe('sumsIn16Bits', () => {
  it('knows x86 with VNNI or AMX from x86 without, and ARM', () => {
    expect(sumsIn16Bits('x64', 'flags\t\t: fpu avx avx2 fma\n')).toBe(true);
    expect(sumsIn16Bits('x64', 'flags\t\t: fpu avx2 avx512_vnni\n')).toBe(false);
    expect(sumsIn16Bits('x64', 'flags\t\t: fpu avx2 avx_vnni\n')).toBe(false);
    expect(sumsIn16Bits('arm64', undefined)).toBe(false);
    expect(sumsIn16Bits('x64', undefined)).toBeUndefined();
  });
});
