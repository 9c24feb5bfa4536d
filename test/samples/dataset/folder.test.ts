import { dirname } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { dataFolder, errorText, spec } from '../../helpers/data-files.js';
import { float32, int64, range } from '../../helpers/npy.js';
import { npz } from '../../helpers/zip.js';

const put = dataFolder();
const { FLOAT, INT32, INT64, STRING } = DataType;
const x = spec('x', FLOAT, ['N', 2]);
const { TensorProto } = onnxProto.onnx;

const tensorFile = (dims: readonly number[], fields: object) =>
  TensorProto.encode(TensorProto.create({ dims: [...dims], ...fields })).finish();

describe('a folder', () => {
  it('of .npz archives is read one after the other, the second before the tenth', async () => {
    for (const i of [10, 1, 2])
      put(`npz/part${i}.npz`, npz({ x: float32([2, 2], [i, i, i + 0.5, 0]), labels: int64([2], [i, i + 1]) }));
    const reader = await openDataset(dirname(put('npz/notes.txt', '')), [x]);
    expect([reader.count, reader.batchable]).toEqual([6, true]);
    expect((await reader.read(1, 3)).get('x')).toEqual({
      dataType: FLOAT,
      dims: [3, 2],
      data: Float32Array.of(1.5, 0, 2, 2, 2.5, 0),
    });
    expect(reader.labels).toEqual({ dataType: INT32, dims: [6], data: Int32Array.of(1, 2, 2, 3, 10, 11) });
  });

  it('of .npz archives that hold one sample each is stacked, along an inner axis, too', async () => {
    for (const i of range(3)) {
      const arrays = { x: float32([1, 2], [i, i]), state: float32([2, 1, 1], [i, -i]), sr: int64([], [8]) };
      put(`one/s${i}.npz`, npz(arrays));
    }
    const inputs = [x, spec('state', FLOAT, [2, 'N', 1]), spec('sr', INT64, [])];
    const reader = await openDataset(dirname(put('one/notes.txt', '')), inputs);
    expect(reader.batchable).toBe(true);
    const state = (await reader.read(1, 2)).get('state');
    expect(state).toEqual({ dataType: FLOAT, dims: [2, 2, 1], data: Float32Array.of(1, 2, -1, -2) });
  });

  it('of samples that differ in shape, or in what they share, is read one at a time', async () => {
    put('ragged/a.npz', npz({ x: float32([2, 3], range(6)) }));
    const path = dirname(put('ragged/b.npz', npz({ x: float32([1, 4], range(4)) })));
    const reader = await openDataset(path, [spec('x', FLOAT, ['N', 'L'])]);
    expect([reader.count, reader.batchable]).toEqual([3, false]);
    expect((await reader.read(2, 1)).get('x')?.dims).toEqual([1, 4]);
    put('rate/a.npz', npz({ x: float32([1, 2], [1, 2]), sr: int64([], [8]) }));
    const rates = dirname(put('rate/b.npz', npz({ x: float32([1, 2], [1, 2]), sr: int64([], [16]) })));
    const other = await openDataset(rates, [x, spec('sr', INT64, [])]);
    expect(other.batchable).toBe(false);
    expect((await other.read(1, 1)).get('sr')?.data).toEqual(BigInt64Array.of(16n));
  });

  it('of .npy files has one for each input', async () => {
    put('inputs/x.npy', float32([3, 2], range(6)));
    put('inputs/labels.npy', int64([3], [0, 1, 0]));
    const path = dirname(put('inputs/y.npy', int64([3], range(3))));
    const reader = await openDataset(path, [x, spec('y', INT64, ['N'])]);
    expect([...(await reader.read(2, 1)).keys()]).toEqual(['x', 'y']);
    expect(reader.labels?.data).toEqual(Int32Array.of(0, 1, 0));
  });

  it('of .npy files has one for each sample of a model with one input', async () => {
    for (const i of range(3)) put(`samples/img${i}.npy`, float32([2], [i, i]));
    const path = dirname(put('samples/labels.npy', int64([3], [5, 6, 7])));
    const reader = await openDataset(path, [x]);
    expect([reader.count, reader.batchable]).toEqual([3, true]);
    expect((await reader.read(0, 3)).get('x')?.data).toEqual(Float32Array.of(0, 0, 1, 1, 2, 2));
    expect(reader.labels?.data).toEqual(Int32Array.of(5, 6, 7));
  });

  it('of ONNX test data has one sample a set, fed as it is', async () => {
    const floats = (values: number[]) => tensorFile([values.length / 2, 2], { dataType: FLOAT, floatData: values });
    const text = tensorFile([1], { dataType: STRING, stringData: [Buffer.from('hä')] });
    put('onnx/test_data_set_0/input_0.pb', floats([1, 2, 3, 4]));
    put('onnx/test_data_set_0/input_1.pb', text);
    put('onnx/test_data_set_0/output_0.pb', text);
    put('onnx/test_data_set_1/input_0.pb', floats([5, 6]));
    const path = dirname(dirname(put('onnx/test_data_set_1/input_1.pb', text)));
    const inputs = [x, spec('s', STRING, ['M'])];
    const reader = await openDataset(path, inputs);
    expect([reader.count, reader.batchable]).toEqual([2, false]);
    expect((await reader.read(0, 1)).get('x')).toEqual({
      dataType: FLOAT,
      dims: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
    });
    expect((await reader.read(1, 1)).get('s')?.data).toEqual(['hä']);
    expect((await openDataset(`${path}/test_data_set_1`, inputs)).count).toBe(1);
    expect(await errorText(() => openDataset(path, [x]))).toMatch(/^SO4002 .*input_1.pb" is for input 1/);
    put('onnx/test_data_set_2/input_0.pb', floats([5, 6]).subarray(0, 8));
    expect(await errorText(() => openDataset(path, inputs))).toMatch(/^SO2005 |^SO2006 |^SO2101 /);
  });

  it('without anything that can be read is refused, naming what is there', async () => {
    const path = dirname(put('photos/cat.jpg', 'x'));
    expect(await errorText(() => openDataset(path, [x]))).toMatch(
      /^SO4001 .*"photos".*it contains .jpg; supported are .npz, .npy/,
    );
  });
});
