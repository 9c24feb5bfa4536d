import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { dataFolder, errorText, spec } from '../../helpers/data-files.js';
import { float32, int64, npy, range } from '../../helpers/npy.js';
import { npz, zip } from '../../helpers/zip.js';

const put = dataFolder();
const x = spec('x', DataType.FLOAT, ['N', 3]);
const array = float32([4, 3], range(12));

describe('a .npz archive', () => {
  it('is read stored and deflated, with labels', async () => {
    for (const deflate of [false, true]) {
      const path = put('a.npz', npz({ x: array, labels: int64([4], [0, 1, 2, 3]) }, deflate));
      const reader = await openDataset(path, [x]);
      expect([...((await reader.read(1, 2)).get('x')?.data ?? [])]).toEqual(range(6, 3));
      expect([...((await reader.read(3, 1)).get('x')?.data ?? [])]).toEqual(range(3, 9));
      expect(reader.labels?.data).toEqual(Int32Array.of(0, 1, 2, 3));
    }
  });

  it('gives the same values each time it is read, in either byte order', async () => {
    const bytes = Buffer.alloc(48);
    for (const i of range(12)) bytes.writeFloatBE(i, i * 4);
    const reader = await openDataset(put('big-endian.npz', npz({ x: npy('>f4', [4, 3], bytes) })), [x]);
    for (const _ of range(3)) expect([...((await reader.read(1, 2)).get('x')?.data ?? [])]).toEqual(range(6, 3));
  });

  it('takes members without the .npy ending and under any extension', async () => {
    const path = put('archive.zip', zip([{ name: 'x', data: array }]));
    expect((await openDataset(path, [x])).count).toBe(4);
  });

  it('takes names that are paths, since nothing is written to disk', async () => {
    for (const name of ['/x', '../x', 'a/b:0', 'ü']) {
      const path = put('paths.npz', npz({ [name]: array }));
      expect((await openDataset(path, [spec(name, DataType.FLOAT, ['N', 3])])).count).toBe(4);
    }
  });

  it('leaves out what is no array and what is no input, and says so', async () => {
    const members = [
      { name: 'readme.txt', data: Buffer.from('hello') },
      { name: 'x.npy', data: array },
      { name: 'other.npy', data: array },
    ];
    const reader = await openDataset(put('extra.npz', zip(members)), [x]);
    expect(reader.warnings).toHaveLength(2);
    expect(reader.warnings.join()).toMatch(/"readme.txt".*"other"/);
  });

  it('takes the array that numpy was given without a name when the model has one input', async () => {
    expect((await openDataset(put('unnamed.npz', npz({ arr_0: array })), [x])).count).toBe(4);
  });

  it('takes labels by another name, or from another file', async () => {
    const path = put('y/named.npz', npz({ x: array, target: int64([4], [1, 0, 1, 0]) }));
    expect((await openDataset(path, [x], { labels: 'target' })).labels?.data).toEqual(Int32Array.of(1, 0, 1, 0));
    const file = put('y/other.npy', int64([4], [2, 2, 2, 2]));
    expect((await openDataset(path, [x], { labels: file })).labels?.data).toEqual(Int32Array.of(2, 2, 2, 2));
    expect(await errorText(() => openDataset(path, [x], { labels: 'tagret' }))).toMatch(/^SO4005 /);
  });
});

describe('a .npz archive from a stranger', () => {
  const refuse = (bytes: Uint8Array, options = {}) =>
    errorText(async () => {
      const reader = await openDataset(put('bad.npz', bytes), [x], options);
      await reader.read(0, reader.batchable ? reader.count : 1);
    });

  it('is refused when it is no archive or cut short', async () => {
    const whole = npz({ x: array });
    expect(await refuse(Buffer.from('not a zip'))).toMatch(/^SO4001 /);
    for (const end of [3, 40, whole.length - 30, whole.length - 1])
      expect(await refuse(whole.subarray(0, end)), String(end)).toMatch(/^SO4001 /);
  });

  it('is refused when a member inflates to more or less than it says', async () => {
    const bomb = (claim: number) =>
      zip([{ name: 'x.npy', data: array, deflate: true, claims: { uncompressedSize: claim } }]);
    expect(await refuse(bomb(array.length - 12))).toMatch(/^SO4001 .*"bad.npz: x" ends early/);
    expect(await refuse(bomb(array.length + 12))).toMatch(/^SO4001 .*has extra bytes after its array/);
    // A header that agrees with the lie gets as far as inflating.
    const longer = Buffer.concat([array, Buffer.alloc(4096)]);
    const lie = zip([{ name: 'x.npy', data: longer, deflate: true, claims: { uncompressedSize: array.length } }]);
    expect(await refuse(lie)).toMatch(/^SO4001 .*inflates to more than the/);
  });

  it('is refused when it would inflate beyond the limit', async () => {
    const zeros = npy('<f4', [100_000, 3], new Float32Array(300_000));
    const bytes = npz({ x: zeros });
    expect(bytes.length).toBeLessThan(10_000);
    expect(await refuse(bytes, { maximumBytes: 1_000_000 })).toMatch(/^SO2104 .*limit is 1000000.*np.savez/);
  });

  it('is refused when its bytes are damaged', async () => {
    const crc = zip([{ name: 'x.npy', data: array, deflate: true, claims: { crc: 1 } }]);
    expect(await refuse(crc)).toMatch(/^SO4001 .*checksum/);
    const noise = zip([{ name: 'x.npy', data: Buffer.alloc(200, 0xff), claims: { method: 8 } }]);
    expect(await refuse(noise)).toMatch(/^SO4001 .*cannot be inflated/);
  });

  it('is refused when it is encrypted, uses another compression or repeats a name', async () => {
    expect(await refuse(zip([{ name: 'x.npy', data: array, deflate: true, claims: { flags: 1 } }]))).toMatch(
      /^SO4001 .*encrypted/,
    );
    expect(await refuse(zip([{ name: 'x.npy', data: array, claims: { method: 14 } }]))).toMatch(
      /^SO4001 .*method is 14/,
    );
    const twice = zip([
      { name: 'x.npy', data: array },
      { name: 'x', data: array },
    ]);
    expect(await refuse(twice)).toMatch(/^SO4001 .*two arrays named "x"/);
  });

  it('is refused when it holds pickled objects', async () => {
    expect(await refuse(npz({ x: npy('|O', [4, 3], Buffer.alloc(10)) }))).toMatch(/^SO4003 /);
  });

  it('is taken with names that mean something to JavaScript', async () => {
    const path = put('proto.npz', zip([{ name: '__proto__.npy', data: array }]));
    const reader = await openDataset(path, [spec('__proto__', DataType.FLOAT, ['N', 3])]);
    expect((await reader.read(0, 4)).get('__proto__')?.dims).toEqual([4, 3]);
  });

  it('is refused when it holds nothing', async () => {
    expect(await refuse(zip([]))).toMatch(/^SO4002 .*the data has no arrays/);
    expect(await refuse(npz({ x: float32([0, 3], []) }))).toMatch(/^SO4004 /);
  });
});
