import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { tensorType } from '../../src/ir/type.js';
import { modelBytes, stageModel, writeModel } from '../../src/ir/write-model.js';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom } from '../../src/tensor/random.js';
import { Tensor } from '../../src/tensor/tensor.js';
import {
  attribute,
  externalData,
  graph as graphOf,
  KIND,
  message,
  model as modelOf,
  node,
  tensor,
  tensorTypeBytes,
  valueInfo,
} from '../helpers/wire.js';

let folder = '';
let runtime: RuntimeHost;
beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-external-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const WIDTH = 600;

/** `Y = MatMul(MatMul(X, W), V) + B`: two weights above the alignment limit of a data file, one small enough to stay. */
function matMulModel(): Model {
  const random = createRandom(1);
  const weight = () =>
    Tensor.float32(
      Float32Array.from({ length: WIDTH * WIDTH }, () => random.normal()),
      [WIDTH, WIDTH],
    );
  const model = new Model();
  model.setOpset('', 17);
  const { graph } = model;
  const x = graph.newValue('X', tensorType(DataType.FLOAT, [1, WIDTH]));
  graph.addInput(x);
  const w = graph.addInitializer('W', weight());
  const b = graph.addInitializer('B', Tensor.float32([0.5]));
  const v = graph.addInitializer('V', weight());
  const first = graph.addNode({ opType: 'MatMul', inputs: [x, w], outputs: [{ name: 'h' }] });
  const second = graph.addNode({ opType: 'MatMul', inputs: [first.output(), v], outputs: [{ name: 'i' }] });
  const type = tensorType(DataType.FLOAT, [1, WIDTH]);
  const last = graph.addNode({ opType: 'Add', inputs: [second.output(), b], outputs: [{ name: 'Y', type }] });
  graph.addOutput(last.output());
  return model;
}

async function run(path: string): Promise<ArrayLike<unknown> | undefined> {
  const { session } = await runtime.request('load', { path });
  const data = Float32Array.from({ length: WIDTH }, (_, index) => Math.sin(index));
  const feeds = new Map([['X', { dataType: DataType.FLOAT, dims: [1, WIDTH], data }]]);
  const outputs = await runtime.request('run', { session, feeds });
  await runtime.request('release', { session });
  return outputs.get('Y')?.data as ArrayLike<unknown> | undefined;
}

/** Reads a model back, hands it to `use`, and closes it. */
async function reading<T>(path: string, use: (model: Model) => T | Promise<T>): Promise<T> {
  const model = await readModel(path);
  try {
    return await use(model);
  } finally {
    model.source?.close();
  }
}

describe('weights in a data file', () => {
  it('are loaded by ONNX Runtime and read back equal', async () => {
    const model = matMulModel();
    const inside = await writeModel(model, join(folder, 'inside.onnx'));
    const outside = await writeModel(model, join(folder, 'outside.onnx'), { externalData: 'always' });
    expect(inside.dataPath).toBeUndefined();
    expect(outside.dataPath).toBe(join(folder, 'outside.onnx.data'));
    expect(statSync(outside.path).size).toBeLessThan(2000);
    expect(outside.sizeBytes).toBe(statSync(outside.path).size + statSync(join(folder, 'outside.onnx.data')).size);
    expect(await run(outside.path)).toEqual(await run(inside.path));
    await reading(outside.path, (read) => {
      for (const name of ['W', 'V', 'B']) {
        const ours = read.graph.values.get(name)?.tensor?.bytes() ?? new Uint8Array();
        const theirs = model.graph.values.get(name)?.tensor?.bytes() ?? new Uint8Array();
        expect(Buffer.compare(ours, theirs)).toBe(0);
      }
    });
  });

  it('begin at multiples of 4096 where they are large, so that a runtime can map them', async () => {
    await writeModel(matMulModel(), join(folder, 'm.onnx'), { externalData: 'always' });
    const bytes = readFileSync(join(folder, 'm.onnx')).toString('latin1');
    const offsets = [...bytes.matchAll(/offset..(\d+)/gs)].map((match) => Number(match[1]));
    expect(offsets).toHaveLength(2);
    for (const offset of offsets) expect(offset % 4096).toBe(0);
  });

  it('go back into the model with "never", under which it is what it was', async () => {
    const model = matMulModel();
    await writeModel(model, join(folder, 'outside.onnx'), { externalData: 'always' });
    await reading(join(folder, 'outside.onnx'), async (read) => {
      const written = await writeModel(read, join(folder, 'back.onnx'), { externalData: 'never' });
      expect(written.dataPath).toBeUndefined();
    });
    expect(readFileSync(join(folder, 'back.onnx')).equals(await modelBytes(model))).toBe(true);
    expect(await run(join(folder, 'back.onnx'))).toEqual(await run(join(folder, 'outside.onnx')));
  });

  it('stay outside by default when they came from outside, under the name of the new model', async () => {
    await writeModel(matMulModel(), join(folder, 'a.onnx'), { externalData: 'always' });
    await reading(join(folder, 'a.onnx'), async (read) => {
      const written = await writeModel(read, join(folder, 'b.onnx'));
      expect(written.dataPath).toBe(join(folder, 'b.onnx.data'));
    });
    rmSync(join(folder, 'a.onnx.data'));
    expect(await run(join(folder, 'b.onnx'))).toHaveLength(WIDTH);
  });

  it('can be run from the hidden folder before they are committed', async () => {
    const staged = await stageModel(matMulModel(), join(folder, 'm.onnx'), { externalData: 'always' });
    expect(await run(staged.stagedPath)).toHaveLength(WIDTH);
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]);
    staged.commit();
    expect(readdirSync(folder)).toEqual(['m.onnx', 'm.onnx.data']);
    expect(await run(join(folder, 'm.onnx'))).toHaveLength(WIDTH);
  });

  it('move with the model where attributes hold them', async () => {
    const data = new Uint8Array(Float32Array.from({ length: 2000 }, (_, index) => index).buffer);
    writeFileSync(join(folder, 'weights.bin'), data);
    const external = externalData([
      ['location', 'weights.bin'],
      ['offset', '4000'],
      ['length', '4000'],
    ]);
    const value = attribute('value', KIND.tensor, message(5, tensor('w', DataType.FLOAT, [1000], external)));
    const nodes = [node('Constant', [], ['W'], value), node('Add', ['X', 'W'], ['Y'])];
    const type = tensorTypeBytes(DataType.FLOAT, [1000]);
    const [inputs, outputs] = [[valueInfo('X', type)], [valueInfo('Y', type)]];
    writeFileSync(join(folder, 'm.onnx'), modelOf({ graph: graphOf({ nodes, inputs, outputs }) }));
    mkdirSync(join(folder, 'sub'));
    await reading(join(folder, 'm.onnx'), async (read) => {
      await writeModel(read, join(folder, 'sub', 'beside.onnx'));
      await writeModel(read, join(folder, 'sub', 'inside.onnx'), { externalData: 'never' });
    });
    expect(readdirSync(join(folder, 'sub'))).toEqual(['beside.onnx', 'beside.onnx.data', 'inside.onnx']);
    for (const name of ['beside.onnx', 'inside.onnx']) {
      await reading(join(folder, 'sub', name), (read) => {
        const bytes = read.graph.nodes.first?.tensor('value')?.bytes() ?? new Uint8Array();
        expect(Buffer.compare(bytes, data.subarray(4000))).toBe(0);
      });
    }
  });

  it('are never written over the data file of the model being read', async () => {
    await writeModel(matMulModel(), join(folder, 'm.onnx'), { externalData: 'always' });
    mkdirSync(join(folder, 'sub'));
    const before = readFileSync(join(folder, 'm.onnx.data'));
    await reading(join(folder, 'm.onnx'), async (read) => {
      await expect(writeModel(read, join(folder, 'm.onnx'), { force: true })).rejects.toMatchObject({ code: 'SO1004' });
      // A model of another name whose data file would be the one that is read.
      linkSync(join(folder, 'm.onnx.data'), join(folder, 'n.onnx.data'));
      await expect(writeModel(read, join(folder, 'n.onnx'), { force: true })).rejects.toMatchObject({ code: 'SO1004' });
    });
    expect(readFileSync(join(folder, 'm.onnx.data')).equals(before)).toBe(true);
  });

  it('do not replace a data file without being told to', async () => {
    writeFileSync(join(folder, 'm.onnx.data'), 'mine');
    const write = writeModel(matMulModel(), join(folder, 'm.onnx'), { externalData: 'always' });
    await expect(write).rejects.toMatchObject({ code: 'SO1005' });
    expect(readdirSync(folder)).toEqual(['m.onnx.data']);
    expect(readFileSync(join(folder, 'm.onnx.data'), 'utf8')).toBe('mine');
  });

  it('replace a pair with force, with the same bytes and nothing left beside', async () => {
    const path = join(folder, 'm.onnx');
    await writeModel(matMulModel(), path, { externalData: 'always' });
    const [model, data] = [readFileSync(path), readFileSync(`${path}.data`)];
    for (const name of [path, `${path}.data`]) writeFileSync(name, 'earlier');
    await writeModel(matMulModel(), path, { externalData: 'always', force: true });
    expect([readFileSync(path).equals(model), readFileSync(`${path}.data`).equals(data)]).toEqual([true, true]);
    expect(readdirSync(folder)).toEqual(['m.onnx', 'm.onnx.data']);
    expect(statSync(`${path}.data`).nlink).toBe(1);
  });

  it('appear with neither file where one comes to stand there meanwhile', async () => {
    const path = join(folder, 'm.onnx');
    const staged = await stageModel(matMulModel(), path, { externalData: 'always' });
    writeFileSync(path, 'of another writer');
    expect(() => staged.commit()).toThrow(expect.objectContaining({ code: 'SO1005' }));
    expect(readdirSync(folder)).toEqual(['m.onnx']);
    expect(readFileSync(path, 'utf8')).toBe('of another writer');
  });

  it('are not written beside a link: they would be looked for under its name', async () => {
    symlinkSync('other.onnx', join(folder, 'm.onnx'));
    const write = writeModel(matMulModel(), join(folder, 'm.onnx'), { externalData: 'always' });
    await expect(write).rejects.toMatchObject({ code: 'SO6001' });
    expect(readdirSync(folder)).toEqual(['m.onnx']);
  });
});
