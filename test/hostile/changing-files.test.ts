import { appendFileSync, chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { readModel } from '../../src/ir/read-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { skipWhere } from '../helpers/skip-where.js';
import { type Bytes, externalData, graph, model, node, rawData, tensor, valueInfo } from '../helpers/wire.js';

const DATA = new Uint8Array(4096).fill(7);

function using(...data: Bytes[]): Bytes {
  return model({
    graph: graph({
      nodes: [node('Identity', ['w'], ['Y'])],
      initializers: [tensor('w', 1, [1024], ...data)],
      outputs: [valueInfo('Y', undefined)],
    }),
  });
}

async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a file that changes while it is in use', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'serve-opt-changing-'));
    path = join(folder, 'model.onnx');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is noticed when a weight is read from a model that became shorter', async () => {
    writeFileSync(path, using(rawData(DATA)));
    const read = await readModel(path);
    truncateSync(path, 100);
    const error = await failureOf(() => read.graph.values.get('w')?.tensor?.bytes());
    read.source?.close();
    expect(error).toBeInstanceOf(ServeOptError);
    expect(error).toMatchObject({ code: 'SO2008', exitCode: 3 });
  });

  it('is noticed when a data file became shorter', async () => {
    writeFileSync(join(folder, 'w.bin'), DATA);
    writeFileSync(path, using(externalData([['location', 'w.bin']])));
    const read = await readModel(path);
    truncateSync(join(folder, 'w.bin'), 8);
    const error = await failureOf(() => read.graph.values.get('w')?.tensor?.bytes());
    read.source?.close();
    expect(error).toMatchObject({ code: 'SO2008' });
  });

  it('is noticed before a copy of it is delivered', async () => {
    writeFileSync(path, using(rawData(DATA)));
    const read = await readModel(path);
    appendFileSync(path, 'more');
    const error = await failureOf(() => writeModel(read, join(folder, 'copy.onnx')));
    read.source?.close();
    expect(error).toMatchObject({ code: 'SO2008' });
  });

  skipWhere(process.getuid?.() === 0, 'the administrator may read everything').it(
    'is refused when it may not be read',
    async () => {
      writeFileSync(path, using(rawData(DATA)));
      chmodSync(path, 0);
      expect(await failureOf(() => readModel(path))).toMatchObject({ code: 'SO2002', exitCode: 3 });
    },
  );
});
