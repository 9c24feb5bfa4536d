import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { dataFolder, errorText, spec } from '../../helpers/data-files.js';

const put = dataFolder();
const { FLOAT, INT32, INT64, STRING, BOOL } = DataType;
const lines = (...rows: unknown[]) => put('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
const ids = spec('ids', INT64, ['N', 'L']);

describe('a .jsonl file', () => {
  it('holds one sample a line, without the batch axis or with it', async () => {
    for (const rows of [
      [{ ids: [1, 2, 3] }, { ids: [4, 5, 6] }],
      [{ ids: [[1, 2, 3]] }, { ids: [[4, 5, 6]] }],
    ]) {
      const reader = await openDataset(lines(...rows), [ids]);
      expect([reader.count, reader.batchable]).toEqual([2, true]);
      expect((await reader.read(0, 2)).get('ids')).toEqual({
        dataType: INT64,
        dims: [2, 3],
        data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n),
      });
    }
  });

  it('reads lines of different lengths one at a time, and fills up label lists', async () => {
    const reader = await openDataset(lines({ ids: [1, 2], labels: [7] }, { ids: [3], labels: [8, 9] }), [ids]);
    expect([reader.count, reader.batchable]).toEqual([2, false]);
    expect((await reader.read(1, 1)).get('ids')?.dims).toEqual([1, 1]);
    expect(reader.labels).toEqual({ dataType: INT32, dims: [2, 2], data: Int32Array.of(7, -1, 8, 9) });
  });

  it('holds numbers, text and booleans, and shares what never changes where the model wants a scalar', async () => {
    const inputs = [
      spec('age', FLOAT, [0, 1]),
      spec('job', STRING, [0, 1]),
      spec('on', BOOL, ['N']),
      spec('sr', INT64, []),
    ];
    const path = lines(
      { age: 31.5, job: 'nurse', on: true, sr: 16000, label: 1 },
      { age: 40, job: 'cook', on: false, sr: 16000, label: 0 },
    );
    const reader = await openDataset(path, inputs);
    expect(reader.batchable).toBe(true);
    const feeds = await reader.read(0, 2);
    expect(feeds.get('age')).toEqual({ dataType: FLOAT, dims: [2, 1], data: Float32Array.of(31.5, 40) });
    expect(feeds.get('job')).toEqual({ dataType: STRING, dims: [2, 1], data: ['nurse', 'cook'] });
    expect(feeds.get('on')?.data).toEqual(Uint8Array.of(1, 0));
    expect(feeds.get('sr')).toEqual({ dataType: INT64, dims: [], data: BigInt64Array.of(16000n) });
    expect(reader.labels?.data).toEqual(Int32Array.of(1, 0));
  });

  it('is refused with the line that is wrong', async () => {
    const refuse = (text: string, input = ids) =>
      errorText(async () => (await openDataset(put('bad.jsonl', text), [input])).read(0, 1));
    expect(await refuse('{"ids": [1]}\n\n{"ids": [1')).toMatch(/^SO4001 .*"?bad.jsonl, line 3, is not JSON/);
    expect(await refuse('"one"')).toMatch(/^SO4001 .*line 1, is not a JSON object/);
    expect(await refuse('{"ids": [[1, 2], [3]]}')).toMatch(/^SO4001 .*different lengths/);
    expect(await refuse('{"ids": [1, [2]]}')).toMatch(/^SO4001 .*different lengths/);
    expect(await refuse('{"ids": [1, null]}')).toMatch(/^SO4001 .*contains null/);
    expect(await refuse('{"ids": ["a", 1]}')).toMatch(/^SO4001 .*mixes strings/);
    expect(await refuse(`{"ids": ${'['.repeat(50)}${']'.repeat(50)}}`)).toMatch(/^SO4001 .*deeper than 16/);
    expect(await refuse('{"ids": [1.5]}')).toMatch(/^SO4002 .*1.5/);
    expect(await refuse('{"ids": [9007199254740993]}')).toMatch(/^SO4002 .*does not fit int64/);
    expect(await refuse('{"idz": [1]}')).toMatch(/^SO4002 .*did you mean: rename "idz" to "ids"/);
    expect(await refuse('\n\n')).toMatch(/^SO4004 /);
    expect(await errorText(() => openDataset(put('latin.jsonl', Buffer.of(0x22, 0xff, 0x22)), [ids]))).toMatch(
      /^SO4001 .*line 1, is not UTF-8/,
    );
  });

  it('takes __proto__ for a name like any other', async () => {
    const path = put('proto.jsonl', '{"__proto__": [1, 2]}');
    const reader = await openDataset(path, [spec('__proto__', FLOAT, ['N', 2])]);
    expect((await reader.read(0, 1)).get('__proto__')?.data).toEqual(Float32Array.of(1, 2));
  });
});

describe('a .csv file', () => {
  const inputs = [spec('age', FLOAT, [0, 1]), spec('job', STRING, [0, 1])];

  it('has a column for each input, in any order, and one for the labels', async () => {
    const path = put('a.csv', '\ufeffjob,label,age,id\r\n"cook, chef",1,31.5,x1\r\nnurse,0,4e1,x2\r\n');
    const reader = await openDataset(path, inputs);
    expect([reader.count, reader.batchable]).toEqual([2, true]);
    const feeds = await reader.read(0, 2);
    expect(feeds.get('age')).toEqual({ dataType: FLOAT, dims: [2, 1], data: Float32Array.of(31.5, 40) });
    expect(feeds.get('job')?.data).toEqual(['cook, chef', 'nurse']);
    expect(reader.labels?.data).toEqual(Int32Array.of(1, 0));
    expect(reader.warnings.join()).toMatch(/"id" is not an input/);
  });

  it('has the features of a single numeric input side by side', async () => {
    const path = put('f.csv', 'f0,f1,label,f2\n1,2,cat,3\n4,5,dog,6\n');
    const reader = await openDataset(path, [spec('x', FLOAT, ['N', 3])]);
    expect((await reader.read(1, 1)).get('x')).toEqual({
      dataType: FLOAT,
      dims: [1, 3],
      data: Float32Array.of(4, 5, 6),
    });
    expect(reader.labels).toEqual({ dataType: STRING, dims: [2], data: ['cat', 'dog'] });
    expect(await errorText(() => openDataset(path, [spec('x', FLOAT, ['N', 4])]))).toMatch(
      /^SO4002 .*has shape \[2, 3\], the input expects \[N, 4\]/,
    );
  });

  it('is refused with the cell that is wrong', async () => {
    const refuse = (text: string) =>
      errorText(async () => (await openDataset(put('bad.csv', text), inputs)).read(0, 1));
    expect(await refuse('age,job\n1,a\nold,b')).toMatch(/^SO4001 .*sample 1, column "age", has "old"/);
    expect(await refuse('age,job\n,a')).toMatch(/^SO4001 .*the cell is empty/);
    expect(await refuse('age,job\nnan,a')).toMatch(/^SO4001 .*NaN or infinite/);
    expect(await refuse('age,job\n1,a,2')).toMatch(/^SO4001 .*Invalid Record Length/);
    expect(await refuse('age,job\n1,"a')).toMatch(/^SO4001 .*not a readable CSV/);
    expect(await refuse('age,age,job\n1,2,a')).toMatch(/^SO4001 .*two columns named "age"/);
    expect(await refuse('age,job\n')).toMatch(/^SO4004 /);
    expect(await refuse('age,jobs\n1,a')).toMatch(/^SO4002 .*rename "jobs" to "job"/);
  });
});
