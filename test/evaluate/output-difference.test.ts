import { describe, expect, it } from 'vitest';
import type { EvaluatedTensor } from '../../src/evaluate/host-numbers.js';
import { OutputDifferences } from '../../src/evaluate/output-difference.js';
import { DataType } from '../../src/tensor/dtype.js';

const float = (dims: number[], values: number[]): EvaluatedTensor => ({
  dataType: DataType.FLOAT,
  dims,
  data: Float32Array.from(values),
});

const CLASSES = { kind: 'scores', axis: -1, exclusive: true, because: 'the graph ends in Softmax' } as const;

describe('the difference of an output', () => {
  it('adds up over runs', () => {
    const difference = new OutputDifferences('y', CLASSES);
    difference.observe({ a: float([1, 3], [1, 2, 3]), b: float([1, 3], [1, 2, 5]) });
    difference.observe({ a: float([2, 3], [4, 0, 0, 0, 1, 0]), b: float([2, 3], [3, 0, 0, 2, 1, 0]) });
    const result = difference.result();
    expect(result).toMatchObject({ name: 'y', elements: 9, exactEqual: 6 / 9, maxAbs: 2, meanAbs: 5 / 9 });
    expect(result.rmse).toBeCloseTo(Math.sqrt((4 + 1 + 4) / 9), 12);
    expect(result.sqnrDb).toBeCloseTo(10 * Math.log10((1 + 4 + 9 + 16 + 1) / 9), 12);
    expect(result.cosine).toBeCloseTo((1 + 4 + 15 + 12 + 1) / Math.sqrt(31 * (1 + 4 + 25 + 9 + 4 + 1)), 12);
    expect(result.top1Agreement).toMatchObject({ value: 2 / 3, n: 3 });
  });

  it('is nothing for equal outputs', () => {
    const difference = new OutputDifferences('y');
    difference.observe({ a: float([2], [1, -0]), b: float([2], [1, 0]) });
    expect(difference.result()).toMatchObject({
      exactEqual: 1,
      maxAbs: 0,
      sqnrDb: Number.POSITIVE_INFINITY,
      cosine: 1,
    });
    expect(difference.result().top1Agreement).toBeUndefined();
  });

  it('counts values that are not finite and leaves them out of the sums', () => {
    const difference = new OutputDifferences('y');
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    difference.observe({ a: float([6], [nan, inf, -inf, 1, nan, 2]), b: float([6], [nan, inf, inf, nan, 1, 2.5]) });
    expect(difference.result()).toMatchObject({
      nonFinite: { a: 4, b: 4 },
      exactEqual: 2 / 6,
      maxAbs: 0.5,
      meanAbs: 0.5,
    });
  });

  it('is a share of equal elements for integers and text, of whatever width', () => {
    const difference = new OutputDifferences('label');
    difference.observe({
      a: { dataType: DataType.INT64, dims: [3], data: BigInt64Array.of(1n, 2n, 3n) },
      b: { dataType: DataType.INT32, dims: [3], data: Int32Array.of(1, 2, 4) },
    });
    expect(difference.result()).toMatchObject({
      exactEqual: 2 / 3,
      elements: 3,
      dataTypeA: 'int64',
      dataTypeB: 'int32',
    });
    expect(difference.result().maxAbs).toBeUndefined();
    const text = new OutputDifferences('text');
    text.observe({
      a: { dataType: DataType.STRING, dims: [2], data: ['a', 'b'] },
      b: { dataType: DataType.STRING, dims: [2], data: ['a', 'c'] },
    });
    expect(text.result().exactEqual).toBe(0.5);
  });

  it('compares 16-bit with 32-bit floats', () => {
    const difference = new OutputDifferences('y');
    difference.observe({
      a: float([2], [1, -2]),
      b: {
        dataType: DataType.FLOAT16,
        dims: [2],
        data: Uint16Array.of(0x3c00, 0xc000),
      },
    });
    expect(difference.result()).toMatchObject({ exactEqual: 1, dataTypeB: 'float16' });
  });

  it('says so when shapes or kinds cannot be compared', () => {
    const shapes = new OutputDifferences('boxes');
    shapes.observe({ a: float([2], [1, 2]), b: float([3], [1, 2, 3]) });
    shapes.observe({ a: float([2], [1, 2]), b: float([2], [1, 2]) });
    expect(shapes.result()).toMatchObject({ shapeMismatches: 1, elements: 2, exactEqual: 1 });
    const kinds = new OutputDifferences('y');
    kinds.observe({ a: float([1], [1]), b: { dataType: DataType.INT64, dims: [1], data: BigInt64Array.of(1n) } });
    expect(kinds.result()).toMatchObject({ incomparable: 'float against int64', elements: 0 });
  });
});
