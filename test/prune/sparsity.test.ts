import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPARSE_RUNTIMES, type SparseLayer } from '../../src/prune/sparse-runtimes.js';
import { weightSparsity } from '../../src/prune/sparsity.js';
import { followsPattern, patternMask } from '../../src/prune/weight-masks.js';
import { DataType } from '../../src/tensor/dtype.js';
import { toFloat16 } from '../../src/tensor/float16.js';
import { createRandom } from '../../src/tensor/random.js';
import { bytesOf, Tensor } from '../../src/tensor/tensor.js';

const tensor = (values: readonly number[], dims: readonly number[]): Tensor =>
  Tensor.float32(Float32Array.from(values), dims);

/** A weight without zeros, but for those of a pattern along an axis. */
function patterned(dims: readonly number[], axis: number, kept: number, of: number): Tensor {
  const size = dims.reduce((a, b) => a * b, 1);
  const random = createRandom(size + axis);
  const values = Float32Array.from({ length: size }, () => 1 + random.float());
  const { zero } = patternMask(Tensor.float32(values, dims), axis, { kept, of });
  return Tensor.float32(
    values.map((value, i) => (zero[i] === 1 ? 0 : value)),
    dims,
  );
}

describe('weightSparsity', () => {
  it('counts zeros of both signs, in every float type', () => {
    const values = [0, -0, 1e-30, 2, -3, 0];
    expect(weightSparsity(tensor(values, [2, 3]), 0)).toMatchObject({ elements: 6, zeros: 3 });
    const half = Tensor.of(
      DataType.FLOAT16,
      [2, 3],
      bytesOf(Uint16Array.from([0, -0, 1, 2, -3, 0], (value) => toFloat16(value))),
    );
    expect(weightSparsity(half, 0)).toMatchObject({ elements: 6, zeros: 3 });
    const double = Tensor.of(DataType.DOUBLE, [6], bytesOf(Float64Array.from([0, -0, 1e-300, 2, -3, 0])));
    expect(weightSparsity(double, 0).zeros).toBe(3);
  });

  it.each([
    [2, 4],
    [1, 4],
    [4, 8],
    [3, 8],
    [1, 2],
  ])('finds %i:%i along the axis that the layer sums over, whichever that is', (kept, of) => {
    for (const axis of [0, 1])
      expect(weightSparsity(patterned([16, 24, 3, 3], axis, kept, of), axis).pattern).toEqual({ kept, of, axis });
  });

  it('finds a pattern along another axis', () => {
    expect(weightSparsity(patterned([16, 24], 1, 2, 4), 0).pattern).toEqual({ kept: 2, of: 4, axis: 1 });
  });

  it('finds none in a dense weight, in one that is zero, or in zeros without order', () => {
    expect(weightSparsity(tensor([1, 2, 3, 4], [4]), 0).pattern).toBeUndefined();
    expect(weightSparsity(tensor([0, 0, 0, 0], [4]), 0).pattern).toBeUndefined();
    const unordered = Array.from({ length: 32 }, (_, i) => (i < 16 ? 1 : 0));
    expect(weightSparsity(tensor(unordered, [32]), 0).pattern).toBeUndefined();
  });

  it('gives only patterns that the weight follows, of any weight', () => {
    const sizes = fc.integer({ min: 1, max: 17 });
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 1, max: 9 }), fc.array(fc.boolean()), (a, b, step, flags) => {
        const values = Float32Array.from({ length: a * b }, (_, i) => (flags[(i * step) % flags.length] ? 1 : 0));
        const weight = Tensor.float32(values, [a, b]);
        const { zeros, pattern } = weightSparsity(weight, 1);
        expect(zeros).toBe(values.filter((value) => value === 0).length);
        if (pattern) expect(followsPattern(weight, pattern.axis, pattern)).toBe(true);
      }),
    );
  });
});

describe('runtimes that skip zeros', () => {
  const layer = (opType: string, weight: Tensor, inputAxis: number): SparseLayer => ({
    opType,
    dims: weight.dims,
    inputAxis,
    sparsity: weightSparsity(weight, inputAxis),
  });
  const using = (each: SparseLayer): string[] =>
    SPARSE_RUNTIMES.filter(({ uses }) => uses?.(each)).map(({ name }) => name.split(' ')[0] ?? '');

  it('are those with sparse tensor cores for 2:4 along the inputs, and for no other axis or pattern', () => {
    expect(using(layer('Conv', patterned([16, 24, 3, 3], 1, 2, 4), 1))).toEqual(['TensorRT', 'ONNX']);
    expect(using(layer('MatMul', patterned([24, 16], 0, 1, 2), 0))).toEqual(['TensorRT', 'ONNX']);
    expect(using(layer('Conv', patterned([16, 24, 3, 3], 0, 2, 4), 1))).toEqual([]);
    expect(using(layer('Conv', patterned([16, 24, 3, 3], 1, 4, 8), 1))).toEqual([]);
    expect(using(layer('LSTM', patterned([1, 16, 24], 2, 2, 4), 2))).toEqual([]);
  });

  it('are none for ONNX Runtime on a CPU, whatever the zeros', () => {
    expect(SPARSE_RUNTIMES.find(({ name }) => name === 'ONNX Runtime on a CPU')?.uses).toBeUndefined();
  });

  it('are those with unstructured kernels where nearly all is zero', () => {
    const values = Float32Array.from({ length: 64 * 64 }, (_, i) => ((i * 7919) % 4096 < 400 ? 1 : 0));
    expect(using(layer('MatMul', Tensor.float32(values, [64, 64]), 0))).toEqual(['DeepSparse', 'OpenVINO']);
  });
});
