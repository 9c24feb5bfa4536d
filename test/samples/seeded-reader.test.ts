import { describe, expect, it } from 'vitest';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { Feeds, HostTensor, ValueSpec } from '../../src/samples/types.js';
import { DataType, type DataTypeCode, dataTypeName } from '../../src/tensor/dtype.js';
import { fromFloat16 } from '../../src/tensor/float16.js';

type Shape = ValueSpec['shape'];

function spec(name: string, dataType: DataTypeCode, shape: Shape, more: Partial<ValueSpec> = {}): ValueSpec {
  return { name, dataType, shape, typeText: `${dataTypeName(dataType)}[${shape}]`, ...more };
}

const read = (inputs: readonly ValueSpec[], sample = 0, seed = 1): Feeds => {
  const feeds = seededReader(seed, 16, inputs).read(sample, 1);
  if (feeds instanceof Promise) throw new Error('seeded samples are made synchronously');
  return feeds;
};

const tensor = (feeds: Feeds, name: string): HostTensor => {
  const found = feeds.get(name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

describe('seededReader', () => {
  it('gives the same sample for the same seed, in any order of reading', () => {
    const inputs = [spec('x', DataType.FLOAT, ['N', 3, undefined, undefined]), spec('i', DataType.INT64, ['N', 'T'])];
    const reader = seededReader(5, 4, inputs);
    const third = reader.read(2, 1);
    reader.read(0, 1);
    expect(reader.read(2, 1)).toEqual(third);
    expect(seededReader(5, 9, inputs).read(2, 1)).toEqual(third);
    expect(seededReader(6, 4, inputs).read(2, 1)).not.toEqual(third);
  });

  it('draws floats of every width from the standard normal distribution', () => {
    const shape = [1, 3, 64, 64];
    const feeds = read([
      spec('f32', DataType.FLOAT, shape),
      spec('f16', DataType.FLOAT16, shape),
      spec('f64', DataType.DOUBLE, shape),
    ]);
    const f16 = [...(tensor(feeds, 'f16').data as Uint16Array)].map(fromFloat16);
    for (const values of [tensor(feeds, 'f32').data as Float32Array, f16, tensor(feeds, 'f64').data as Float64Array]) {
      let sum = 0;
      let squares = 0;
      for (const v of values) {
        sum += v;
        squares += v * v;
      }
      expect(Math.abs(sum / values.length)).toBeLessThan(0.05);
      expect(Math.abs(squares / values.length - 1)).toBeLessThan(0.05);
    }
  });

  it('gives one symbol one size within a sample, and other sizes in other samples', () => {
    const inputs = [spec('a', DataType.FLOAT, ['batch', 'seq']), spec('b', DataType.FLOAT, ['batch', 'seq', 8])];
    const shapes = [0, 1, 2].map((sample) => {
      const feeds = read(inputs, sample);
      const a = tensor(feeds, 'a').dims;
      expect(tensor(feeds, 'b').dims).toEqual([...a, 8]);
      return a.join();
    });
    expect(shapes[0]).toBe('1,16');
    expect(new Set(shapes).size).toBe(3);
  });

  it('computes expressions of symbols', () => {
    const inputs = [
      spec('mask', DataType.INT64, ['batch', 'past + 1']),
      spec('past', DataType.FLOAT, ['batch', 4, 'past', 64]),
    ];
    const feeds = read(inputs, 1);
    const past = tensor(feeds, 'past').dims[2] as number;
    expect(tensor(feeds, 'mask').dims).toEqual([2, past + 1]);
  });

  it('gives dimensions without symbols equal sizes at equal places, as BERT needs it', () => {
    const inputs = ['input_ids', 'attention_mask'].map((name) => spec(name, DataType.INT64, [undefined, -1]));
    const feeds = read(inputs, 3);
    expect(tensor(feeds, 'input_ids').dims).toEqual(tensor(feeds, 'attention_mask').dims);
  });

  it('gives images plausible sides and three channels, whichever the layout', () => {
    const side = (inputs: ValueSpec[]) => tensor(read(inputs), 'x').dims;
    expect(side([spec('x', DataType.FLOAT, [undefined, undefined, undefined, undefined])])).toEqual([1, 3, 64, 64]);
    expect(side([spec('x', DataType.FLOAT, ['N', 3, 'H', 'W'])])).toEqual([1, 3, 64, 64]);
    expect(side([spec('x', DataType.FLOAT, ['N', 'H', 'W', 3])])).toEqual([1, 64, 64, 3]);
    expect(side([spec('x', DataType.FLOAT, ['N', 12, 'past', 64])])).toEqual([1, 12, 16, 64]);
  });

  it('keeps a size of 0 and makes an unknown rank a scalar', () => {
    const feeds = read([spec('e', DataType.FLOAT, [0, 2]), spec('u', DataType.FLOAT, undefined)]);
    expect(tensor(feeds, 'e').dims).toEqual([0, 2]);
    expect(tensor(feeds, 'u').dims).toEqual([]);
  });

  it('keeps integers within what they may index, and takes candidates where given', () => {
    const inputs = [
      spec('ids', DataType.INT64, [2, 500], { exclusiveUpper: 7 }),
      spec('rate', DataType.INT64, [], { candidates: [8000, 16000] }),
      spec('unknown', DataType.INT32, [2, 50]),
      spec('length', DataType.INT64, [2]),
    ];
    const feeds = read(inputs);
    const ids = new Set(tensor(feeds, 'ids').data as BigInt64Array);
    expect([...ids].sort()).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n]);
    expect([8000n, 16000n]).toContain((tensor(feeds, 'rate').data as BigInt64Array)[0]);
    expect(new Set(tensor(feeds, 'unknown').data as Int32Array)).toEqual(new Set([0, 1]));
    expect([...(tensor(feeds, 'length').data as BigInt64Array)]).toEqual([1n, 1n]);
  });

  it('fills an attention mask with ones', () => {
    const inputs = [
      spec('input_ids', DataType.INT64, ['b', 's'], { exclusiveUpper: 100 }),
      spec('attention_mask', DataType.INT64, ['b', 's']),
    ];
    expect(new Set(tensor(read(inputs), 'attention_mask').data as BigInt64Array)).toEqual(new Set([1n]));
  });

  it('makes strings, bools and bytes', () => {
    const feeds = read([
      spec('s', DataType.STRING, [3]),
      spec('b', DataType.BOOL, [64]),
      spec('image', DataType.UINT8, [1, 64, 64, 3]),
    ]);
    for (const word of tensor(feeds, 's').data) expect(typeof word).toBe('string');
    expect(new Set(tensor(feeds, 'b').data as Uint8Array)).toEqual(new Set([0, 1]));
    expect(Math.max(...(tensor(feeds, 'image').data as Uint8Array))).toBe(255);
  });

  it('refuses types that cannot be fed and sizes that are absurd', () => {
    expect(() => read([spec('x', DataType.BFLOAT16, [1])])).toThrow(expect.objectContaining({ code: 'SO5006' }));
    expect(() => read([{ name: 'x', dataType: undefined, shape: undefined, typeText: 'seq(float)' }])).toThrow(
      expect.objectContaining({ code: 'SO5006' }),
    );
    expect(() => read([spec('x', DataType.FLOAT, [2 ** 40])])).toThrow(expect.objectContaining({ code: 'SO2105' }));
  });
});
