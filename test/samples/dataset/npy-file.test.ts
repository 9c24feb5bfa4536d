import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { dataFolder, errorText, spec } from '../../helpers/data-files.js';
import { float32, int64, npy, range, unicode } from '../../helpers/npy.js';

const put = dataFolder();
const x = spec('x', DataType.FLOAT, ['N', 3]);

async function values(file: Uint8Array, input = x): Promise<unknown[]> {
  const reader = await openDataset(put('one.npy', file), [input]);
  const feeds = await reader.read(0, reader.batchable ? reader.count : 1);
  return [...(feeds.get(input.name)?.data ?? [])];
}

describe('a .npy file', () => {
  it('is read in ranges of samples', async () => {
    const reader = await openDataset(put('a/any.npy', float32([10, 3], range(30))), [x]);
    expect([reader.count, reader.batchable, reader.labels]).toEqual([10, true, undefined]);
    const tensor = (await reader.read(4, 2)).get('x');
    expect(tensor).toEqual({ dataType: DataType.FLOAT, dims: [2, 3], data: Float32Array.from(range(6, 12)) });
  });

  it('is read in each format version', async () => {
    for (const version of [1, 2, 3] as const)
      expect(await values(npy('<f4', [1, 3], Float32Array.of(1, 2, 3), { version }))).toEqual([1, 2, 3]);
  });

  it('is read in either byte order, for every numeric type', async () => {
    for (const [kind, array] of [
      ['f4', Float32Array.of(1, -2, 3)],
      ['f8', Float64Array.of(1, -2, 3)],
      ['i1', Int8Array.of(1, -2, 3)],
      ['i2', Int16Array.of(1, -2, 3)],
      ['i4', Int32Array.of(1, -2, 3)],
      ['i8', BigInt64Array.of(1n, -2n, 3n)],
    ] as const) {
      const swapped = Buffer.from(array.buffer.slice(0));
      const size = array.BYTES_PER_ELEMENT;
      for (let at = 0; at < swapped.length; at += size) swapped.subarray(at, at + size).reverse();
      expect(await values(npy(`<${kind}`, [1, 3], array)), kind).toEqual([1, -2, 3]);
      expect(await values(npy(`>${kind}`, [1, 3], swapped)), `big-endian ${kind}`).toEqual([1, -2, 3]);
    }
    for (const [kind, array] of [
      ['|u1', Uint8Array.of(1, 2, 3)],
      ['<u2', Uint16Array.of(1, 2, 3)],
      ['=u4', Uint32Array.of(1, 2, 3)],
      ['<u8', BigUint64Array.of(1n, 2n, 3n)],
      ['<f2', Uint16Array.of(0x3c00, 0x4000, 0x4200)],
    ] as const)
      expect(await values(npy(kind, [1, 3], array)), kind).toEqual([1, 2, 3]);
    expect(await values(npy('|b1', [1, 3], Uint8Array.of(1, 0, 1)))).toEqual([1, 0, 1]);
  });

  it('is turned from column-major into row-major order', async () => {
    const column = npy('<f4', [2, 3], Float32Array.of(0, 3, 1, 4, 2, 5), { fortranOrder: true });
    expect(await values(column)).toEqual(range(6));
    const cube = spec('x', DataType.INT64, ['N', 2, 2]);
    const data = BigInt64Array.of(0n, 4n, 2n, 6n, 1n, 5n, 3n, 7n);
    expect(await values(npy('<i8', [2, 2, 2], data, { fortranOrder: true }), cube)).toEqual(range(8).map(BigInt));
  });

  it('holds strings of fixed width in either byte order, and byte strings', async () => {
    const text = spec('x', DataType.STRING, ['N']);
    expect(await values(unicode([3], ['a', '', 'Zürich 🙂']), text)).toEqual(['a', '', 'Zürich 🙂']);
    expect(await values(unicode([2], ['ab', 'c'], true), text)).toEqual(['ab', 'c']);
    expect(await values(npy('|S3', [2], Buffer.from('abcd\0\0')), text)).toEqual(['abc', 'd']);
    expect(await values(npy('<U0', [2], new Uint8Array(0)), text)).toEqual(['', '']);
  });

  it('brings the labels beside it', async () => {
    put('b/calib_X.npy', float32([4, 3], range(12)));
    put('b/calib_labels.npy', int64([4], [3, 1, 2, 0]));
    const path = put('b/calib_X.npy', float32([4, 3], range(12)));
    const reader = await openDataset(path, [spec('X', DataType.FLOAT, [0, 3])]);
    expect(reader.labels).toEqual({ dataType: DataType.INT32, dims: [4], data: Int32Array.of(3, 1, 2, 0) });
  });

  it('brings the files of the other inputs', async () => {
    put('c/calib_mask.npy', int64([2, 3], [1, 1, 1, 1, 1, 0]));
    const path = put('c/calib_input_ids.npy', int64([2, 3], range(6)));
    const inputs = [spec('input_ids', DataType.INT64, ['N', 'L']), spec('mask', DataType.INT64, ['N', 'L'])];
    const feeds = await (await openDataset(path, inputs)).read(1, 1);
    expect([...(feeds.get('mask')?.data ?? [])]).toEqual([1n, 1n, 0n]);
  });
});

describe('a .npy file from a stranger', () => {
  const refuse = (file: Uint8Array, input = x) => errorText(async () => values(file, input));

  it('is refused when it holds pickled objects', async () => {
    expect(await refuse(npy('|O', [1, 3], Buffer.from('\x80\x04K\x01.')))).toMatch(/^SO4003 .*Python objects/);
  });

  it('is refused when it ends early or goes on', async () => {
    const whole = float32([2, 3], range(6));
    expect(await refuse(whole.subarray(0, whole.length - 1))).toMatch(/^SO4001 .*ends early.*needs 24 bytes.*has 23/);
    expect(await refuse(Buffer.concat([whole, Buffer.alloc(5)]))).toMatch(/^SO4001 .*has extra bytes after its array/);
    expect(await refuse(whole.subarray(0, 20))).toMatch(/^SO4001 .*cut off inside its header/);
    expect(await refuse(whole.subarray(0, 9))).toMatch(/^SO4001 .*cut off inside its header/);
  });

  it('is refused when its header is a bomb', async () => {
    const file = float32([2, 3], range(6));
    const bomb = Buffer.from(npy('<f4', [2, 3], new Uint8Array(0), { version: 2 }));
    bomb.writeUInt32LE(0xfffffff0, 8);
    expect(await refuse(bomb)).toMatch(/^SO4001 .*declares 4294967280 bytes/);
    expect(await refuse(npy('<f4', [2 ** 40, 2 ** 40], file))).toMatch(/^SO4001 .*ends early/);
    const deep = npy('<f4', new Array(100).fill(1), Float32Array.of(1));
    expect(await refuse(deep)).toMatch(/^SO4001 .*more than 64 axes/);
  });

  it('is refused when its header is anything but the dictionary that numpy writes', async () => {
    const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
    for (const header of [
      "__import__('os').system('true')",
      good.replace("'<f4'", "[('a', '<f4')]"),
      good.replace('False', '0'),
      good.replace('(1, 3)', '(1, -3)'),
      good.replace('(1, 3)', '(1, x)'),
      good.replace('(1, 3)', '[1, 3]'),
      good.replace("'shape'", "'descr'"),
      good.replace(", 'shape': (1, 3)", ''),
      good.replace('}', "'extra': 1}"),
      `${good} {}`,
      good.slice(0, 30),
      '{',
      '',
    ])
      expect(await refuse(npy('', [], Float32Array.of(1, 2, 3), { header })), header).toMatch(/^SO4001 /);
    expect(await values(npy('', [], Float32Array.of(1, 2, 3), { header: good }))).toEqual([1, 2, 3]);
  });

  it('is refused when its type is none that a model takes', async () => {
    for (const descr of ['<c8', '<M8[ns]', '|V2', '<f16', '<i3', 'nonsense', '<U999999999'])
      expect(await refuse(npy(descr, [1, 3], new Uint8Array(64))), descr).toMatch(/^SO4001 .*element type/);
  });

  it('is refused when a string holds no character', async () => {
    const text = spec('x', DataType.STRING, ['N']);
    expect(await refuse(npy('<U1', [1], Uint32Array.of(0x110000)), text)).toMatch(/^SO4001 .*outside Unicode/);
    expect(await refuse(npy('|S1', [1], Uint8Array.of(0xff)), text)).toMatch(/^SO4001 .*not UTF-8/);
  });

  it('is refused when a value is NaN or infinite, naming the first', async () => {
    const bad = Float32Array.from(range(12));
    bad[7] = Number.NaN;
    bad[11] = Number.POSITIVE_INFINITY;
    const path = put('nan.npy', npy('<f4', [4, 3], bad));
    const reader = await openDataset(path, [x]);
    expect((await reader.read(0, 2)).size).toBe(1);
    expect(await errorText(() => reader.read(1, 3))).toMatch(
      /^SO4001 \| Input "x" has 2 NaN or infinite values in samples 1 to 3 \| the first is element \[2,1\]/,
    );
    const allowed = await openDataset(path, [x], { allowNonFinite: true });
    expect((await allowed.read(2, 1)).get('x')?.data[1]).toBeNaN();
  });

  it('is refused when it is no file, is empty or is missing', async () => {
    expect(await errorText(() => openDataset(put('empty.npy', ''), [x]))).toMatch(/^SO4004 /);
    expect(await errorText(() => openDataset('/dev/null', [x]))).toMatch(/^SO2002 /);
    expect(await errorText(() => openDataset(`${put('there.npy', 'x')}.not`, [x]))).toMatch(/^SO2001 /);
    expect(await errorText(() => openDataset(put('text.npy', 'not an array'), [x]))).toMatch(/^SO4001 /);
    expect(await errorText(() => openDataset(put('data.pkl', 'x'), [x]))).toMatch(/^SO4003 /);
    expect(await errorText(() => openDataset(put('data.xyz', 'x'), [x]))).toMatch(/^SO4001 .*supported are .npz/);
  });
});
