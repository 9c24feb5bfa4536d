import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';

const MODEL = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp', 'model.onnx');

/** Bytes of its first weight, read from the file. */
const firstWeight = (model: Model): number => [...model.graph.initializers][0]?.tensor?.bytes().byteLength ?? 0;

describe('a model', () => {
  it.each([
    ['close', (model: Model) => model.close()],
    ['the end of a `using`', (model: Model) => model[Symbol.dispose]()],
    ['the end of an `await using`', (model: Model) => model[Symbol.asyncDispose]()],
  ])('reads no more of its file after %s, nor do its copies', async (_how, close) => {
    const model = await readModel(MODEL);
    const copy = model.clone();
    await close(model);
    for (const each of [model, copy]) expect(() => firstWeight(each)).toThrow(/closed before its tensors were read/);
    await close(model);
  });

  it('stays open when a copy is closed', async () => {
    const model = await readModel(MODEL);
    const copy = model.clone();
    copy.close();
    await copy.clone()[Symbol.asyncDispose]();
    expect(firstWeight(model)).toBeGreaterThan(0);
    model.close();
  });

  it('that never was a file has nothing to close', () => {
    const model = parseModel(
      '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Relu (x) }',
    );
    model.close();
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });
});
