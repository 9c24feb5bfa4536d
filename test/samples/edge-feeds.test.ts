import { describe, expect, it } from 'vitest';
import { edgeFeeds } from '../../src/samples/edge-feeds.js';
import type { Feeds, HostTensor, ValueSpec } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';

const spec = (name: string, more: Partial<ValueSpec> = {}): ValueSpec => ({
  name,
  dataType: DataType.FLOAT,
  shape: undefined,
  typeText: '',
  ...more,
});
const float = (...values: number[]): HostTensor => ({
  dataType: DataType.FLOAT,
  dims: [values.length],
  data: Float32Array.from(values),
});
const ids = (...values: number[]): HostTensor => ({
  dataType: DataType.INT64,
  dims: [1, values.length],
  data: BigInt64Array.from(values, BigInt),
});

function values(feeds: Feeds | undefined, name: string): number[] {
  return Array.from(feeds?.get(name)?.data as ArrayLike<number>, Number);
}

describe('edge feeds', () => {
  it('put edge values into every float input', () => {
    const all = edgeFeeds(new Map([['x', float(1, -2, 3, -4, 5)]]), [spec('x')]);
    const of = (label: string): number[] => values(all.find((each) => each.label === label)?.feeds, 'x');
    expect(of('inputs of zeros')).toEqual([0, 0, 0, 0, 0]);
    expect(of('inputs of negative zeros').every((value) => Object.is(value, -0))).toBe(true);
    expect(of('negative inputs')).toEqual([-1, -2, -3, -4, -5]);
    expect(of('inputs with NaN')).toEqual([Number.NaN, -2, Number.NaN, -4, Number.NaN]);
    expect(of('inputs with infinities')).toEqual([
      Number.POSITIVE_INFINITY,
      -2,
      Number.NEGATIVE_INFINITY,
      -4,
      Number.POSITIVE_INFINITY,
    ]);
    expect(all.filter(({ exactOnly }) => exactOnly).map(({ label }) => label)).toEqual(['huge inputs', 'tiny inputs']);
  });

  it('keep integers to what is legal, and leave choices alone', () => {
    const sample: Feeds = new Map([
      ['ids', ids(3, 4)],
      ['rate', ids(16000)],
    ]);
    const inputs = [
      spec('ids', { dataType: DataType.INT64, exclusiveUpper: 30 }),
      spec('rate', { dataType: DataType.INT64, candidates: [8000, 16000] }),
    ];
    const all = edgeFeeds(sample, inputs);
    expect(all.map(({ label, feeds }) => [label, values(feeds, 'ids'), values(feeds, 'rate')])).toEqual([
      ['inputs of zeros', [0, 0], [16000]],
      ['inputs of ones', [29, 29], [16000]],
    ]);
  });

  it('hide the end of masks that hide nothing', () => {
    const sample: Feeds = new Map([['attention_mask', ids(1, 1, 1, 1, 1)]]);
    const [masked] = edgeFeeds(sample, [spec('attention_mask', { dataType: DataType.INT64 })]);
    expect(values(masked?.feeds, 'attention_mask')).toEqual([1, 1, 1, 0, 0]);
  });
});
