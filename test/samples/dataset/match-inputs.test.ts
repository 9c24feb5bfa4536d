import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import type { ValueSpec } from '../../../src/samples/types.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { dataFolder, errorText, spec } from '../../helpers/data-files.js';
import { float32, int64, npy, range } from '../../helpers/npy.js';
import { npz } from '../../helpers/zip.js';

const put = dataFolder();
const open = (arrays: Record<string, Uint8Array>, inputs: readonly ValueSpec[]) =>
  openDataset(put('data.npz', npz(arrays)), inputs);
const refuse = (arrays: Record<string, Uint8Array>, inputs: readonly ValueSpec[]) =>
  errorText(async () => {
    const reader = await open(arrays, inputs);
    await reader.read(0, reader.batchable ? reader.count : 1);
  });
const { FLOAT, INT32, INT64, UINT8, BOOL, STRING, FLOAT16, DOUBLE } = DataType;

describe('finding samples in arrays', () => {
  it('cuts a recurrent state along the axis that holds the batch, and shares a scalar', async () => {
    const inputs = [spec('input', FLOAT, [0, 0]), spec('state', FLOAT, [2, 0, 2]), spec('sr', INT64, [])];
    const arrays = { input: float32([3, 4], range(12)), state: float32([2, 3, 2], range(12)), sr: int64([], [16000]) };
    const reader = await open(arrays, inputs);
    expect([reader.count, reader.batchable]).toEqual([3, true]);
    const feeds = await reader.read(1, 2);
    expect(feeds.get('state')).toEqual({
      dataType: FLOAT,
      dims: [2, 2, 2],
      data: Float32Array.of(2, 3, 4, 5, 8, 9, 10, 11),
    });
    expect(feeds.get('sr')).toEqual({ dataType: INT64, dims: [], data: BigInt64Array.of(16000n) });
  });

  it('cuts along the last axis, too', async () => {
    const inputs = [spec('x', FLOAT, ['N', 2]), spec('y', FLOAT, [100, 'N'])];
    const reader = await open({ x: float32([3, 2], range(6)), y: float32([100, 3], range(300)) }, inputs);
    expect([...((await reader.read(1, 1)).get('y')?.data ?? [])]).toEqual(range(100).map((i) => i * 3 + 1));
  });

  it('shares an array that has exactly the shape the model fixes', async () => {
    const inputs = [spec('x', FLOAT, ['N', 2]), spec('anchors', FLOAT, [4, 2])];
    const reader = await open({ x: float32([3, 2], range(6)), anchors: float32([4, 2], range(8)) }, inputs);
    expect((await reader.read(0, 3)).get('anchors')?.dims).toEqual([4, 2]);
  });

  it('reads one sample at a time when the model fixes the batch to 1', async () => {
    const reader = await open({ x: float32([3, 2], range(6)) }, [spec('x', FLOAT, [1, 2])]);
    expect([reader.count, reader.batchable]).toEqual([3, false]);
    expect((await reader.read(2, 1)).get('x')?.dims).toEqual([1, 2]);
    expect(await errorText(() => reader.read(0, 2))).toMatch(/^SO9001 /);
  });

  it('takes blocks of rows when the model fixes a larger batch', async () => {
    const arrays = { x: float32([7, 2], range(14)), labels: int64([7], range(7)) };
    const reader = await open(arrays, [spec('x', FLOAT, [3, 2])]);
    expect([reader.count, reader.batchable, reader.block]).toEqual([7, false, 3]);
    expect((await reader.read(3, 3)).get('x')).toEqual({
      dataType: FLOAT,
      dims: [3, 2],
      data: Float32Array.from(range(6, 6)),
    });
    // The last block is filled up with the last sample; a block may begin anywhere.
    expect((await reader.read(6, 1)).get('x')?.data).toEqual(Float32Array.of(12, 13, 12, 13, 12, 13));
    expect((await reader.read(5, 2)).get('x')?.data).toEqual(Float32Array.of(10, 11, 12, 13, 12, 13));
    expect(reader.labels).toEqual({ dataType: INT32, dims: [7], data: Int32Array.from(range(7)) });
  });

  it('feeds a model without a batch axis one element at a time', async () => {
    const reader = await open({ x: float32([5, 2, 3], range(30)) }, [spec('x', FLOAT, [2, 3])]);
    expect([reader.count, reader.batchable]).toEqual([5, false]);
    expect((await reader.read(4, 1)).get('x')?.dims).toEqual([2, 3]);
  });

  it('adds the batch axis that a single sample lacks', async () => {
    const reader = await open({ x: float32([3, 4], range(12)) }, [spec('x', FLOAT, ['N', 3, 4])]);
    expect(reader.count).toBe(1);
    expect((await reader.read(0, 1)).get('x')?.dims).toEqual([1, 3, 4]);
  });

  it('adds the axis of size 1 that columns and grey images lack', async () => {
    const column = await open({ age: float32([5], range(5)) }, [spec('age', FLOAT, [0, 1])]);
    expect((await column.read(0, 5)).get('age')?.dims).toEqual([5, 1]);
    const grey = await open({ x: float32([5, 2, 2], range(20)) }, [spec('x', FLOAT, ['N', 1, 2, 2])]);
    expect((await grey.read(1, 2)).get('x')?.dims).toEqual([2, 1, 2, 2]);
  });

  it('takes open dimensions written as 0, -1, a symbol or nothing, and an unknown rank', async () => {
    for (const dim of [0, -1, 'N', undefined])
      expect((await open({ x: float32([5, 2], range(10)) }, [spec('x', FLOAT, [dim, 2])])).batchable).toBe(true);
    expect((await open({ x: float32([5, 2], range(10)) }, [spec('x', FLOAT, undefined)])).count).toBe(5);
  });
});

describe('data that does not match the model', () => {
  it('names what the data has, what the model wants, and what was likely meant', async () => {
    const inputs = [spec('input_ids', INT64, ['N', 'L']), spec('attention_mask', INT64, ['N', 'L'])];
    const text = await refuse({ input_ids: int64([1, 2], [1, 2]), atention_mask: int64([1, 2], [1, 1]) }, inputs);
    expect(text).toMatch(/^SO4002 \| "data.npz" has no array for input "attention_mask"/);
    expect(text).toMatch(/the data has "input_ids", "atention_mask"; the model expects "input_ids", "attention_mask"/);
    expect(text).toMatch(/did you mean: rename "atention_mask" to "attention_mask"/);
  });

  it('shows both shapes', async () => {
    const text = await refuse({ x: float32([5, 3, 28], range(420)) }, [spec('x', FLOAT, ['batch', 3, 32])]);
    expect(text).toMatch(/^SO4002 \| Array "x" has shape \[5, 3, 28\], the input expects \[batch, 3, 32\]/);
    expect(text).toMatch(/axis 2 has size 28 in the data, the model expects 32/);
    const rank = await refuse({ x: float32([5, 3, 3, 3], range(135)) }, [spec('x', FLOAT, ['batch', 3])]);
    expect(rank).toMatch(/the data has 4 axes, the model expects 2/);
  });

  it('says when arrays hold different numbers of samples', async () => {
    const inputs = [spec('a', FLOAT, ['N', 2]), spec('b', FLOAT, ['N', 3])];
    const text = await refuse({ a: float32([5, 2], range(10)), b: float32([4, 3], range(12)) }, inputs);
    expect(text).toMatch(/^SO4002 .*does not have . samples, as the other arrays do/);
    const labels = { a: float32([5, 2], range(10)), labels: int64([4], range(4)) };
    expect(await refuse(labels, inputs.slice(0, 1))).toMatch(
      /^SO4005 .*The number of labels, 4,.*int64\[4\].*float32\[5,2\]/,
    );
  });

  it('says when a symbol would have two sizes', async () => {
    const inputs = [spec('ids', INT64, ['N', 'L']), spec('mask', INT64, ['N', 'L'])];
    expect(await refuse({ ids: int64([2, 3], range(6)), mask: int64([2, 4], range(8)) }, inputs)).toMatch(/^SO4002 /);
  });

  it('holds neither a question mark nor a symbol repeated in one input to one size', async () => {
    for (const dim of ['?', 'dynamic'])
      expect((await open({ x: float32([2, 3, 4], range(24)) }, [spec('x', FLOAT, ['N', dim, dim])])).count).toBe(2);
  });

  it('never rounds a float to an integer, nor takes strings for numbers', async () => {
    const float = await refuse({ x: float32([2, 2], range(4)) }, [spec('x', INT64, ['N', 2])]);
    expect(float).toMatch(
      /^SO4002 \| Array "x" is float32\[2,2\], the input expects int64\[N,2\] \| floats are not rounded/,
    );
    expect(await refuse({ x: float32([2], range(2)) }, [spec('x', STRING, ['N'])])).toMatch(/^SO4002 .*strings/);
    expect(await refuse({ x: int64([2], [1, 0]) }, [spec('x', DataType.INT4, ['N'])])).toMatch(/^SO4002 .*int4/);
  });

  it('refuses an integer that the type of the model cannot hold', async () => {
    expect(await refuse({ x: int64([2], [1, 2 ** 31]) }, [spec('x', INT32, ['N'])])).toMatch(
      /^SO4002 .*value 2147483648 .*does not fit int32/,
    );
    expect(await refuse({ x: int64([1], [-1]) }, [spec('x', UINT8, ['N'])])).toMatch(/^SO4002 .*-1/);
    expect(await refuse({ x: int64([1], [2]) }, [spec('x', BOOL, ['N'])])).toMatch(/^SO4002 /);
    expect(await refuse({ x: int64([1], [2 ** 24 + 1]) }, [spec('x', FLOAT, ['N'])])).toMatch(/^SO4002 .*not exact/);
    expect(await refuse({ x: float32([1], [1e30]) }, [spec('x', FLOAT16, ['N'])])).toMatch(/^SO4001 .*float16/);
  });
});

describe('conversion to the type of the model', () => {
  const convert = async (file: Uint8Array, dataType: number) =>
    (await (await open({ x: file }, [spec('x', dataType, ['N'])])).read(0, 2)).get('x')?.data;

  it('keeps every value', async () => {
    expect(await convert(npy('<f8', [2], Float64Array.of(0.1, 2)), FLOAT)).toEqual(Float32Array.of(0.1, 2));
    expect(await convert(npy('|u1', [2], Uint8Array.of(0, 255)), FLOAT)).toEqual(Float32Array.of(0, 255));
    expect(await convert(npy('<i4', [2], Int32Array.of(-1, 7)), INT64)).toEqual(BigInt64Array.of(-1n, 7n));
    expect(await convert(int64([2], [-5, 9]), INT32)).toEqual(Int32Array.of(-5, 9));
    expect(await convert(int64([2], [0, 1]), BOOL)).toEqual(Uint8Array.of(0, 1));
    expect(await convert(npy('|b1', [2], Uint8Array.of(0, 1)), INT64)).toEqual(BigInt64Array.of(0n, 1n));
    expect(await convert(float32([2], [1, -2]), FLOAT16)).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect(await convert(npy('<f2', [2], Uint16Array.of(0x3c00, 0xc000)), DOUBLE)).toEqual(Float64Array.of(1, -2));
  });
});

describe('labels', () => {
  it('become whole numbers where they are, and stay numbers or text elsewhere', async () => {
    const x = float32([2, 1], [0, 1]);
    const inputs = [spec('x', FLOAT, ['N', 1])];
    const labels = async (file: Uint8Array) => (await open({ x, labels: file }, inputs)).labels;
    expect(await labels(npy('<f8', [2], Float64Array.of(1, 0)))).toEqual({
      dataType: INT32,
      dims: [2],
      data: Int32Array.of(1, 0),
    });
    expect((await labels(npy('<f8', [2], Float64Array.of(0.5, 0))))?.dataType).toBe(DOUBLE);
    expect((await labels(int64([2, 3], [1, 2, -1, 4, -1, -1])))?.dims).toEqual([2, 3]);
  });

  it('may be a model input themselves', async () => {
    const inputs = [spec('x', FLOAT, ['N', 1]), spec('labels', INT64, ['N'])];
    const reader = await open({ x: float32([2, 1], [0, 1]), labels: int64([2], [1, 0]) }, inputs);
    expect(reader.labels).toBeUndefined();
    expect((await reader.read(0, 2)).get('labels')?.data).toEqual(BigInt64Array.of(1n, 0n));
  });
});
