import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { inputSpecs, outputSpecs } from '../../../src/samples/value-specs.js';
import { inferOutputs } from '../../../src/targets/triton/batch-proof.js';
import { batchability, chooseBatch } from '../../../src/targets/triton/batching.js';
import { servedInterface } from '../../../src/targets/triton/serving-facts.js';

const HEAD = '<ir_version: 8, opset_import: ["": 17]>';

function judge(text: string) {
  const model = parseModel(`${HEAD} ${text}`);
  const { batched } = inferOutputs(model);
  return batchability(servedInterface(inputSpecs(model), outputSpecs(model)), batched);
}

describe('batchability', () => {
  it('is given where every first dimension has the same name', () => {
    expect(judge('g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }')).toEqual({ kind: 'yes' });
  });

  it('is given where exporters leave the first dimensions without names', () => {
    expect(judge('g (float[?,4] x) => (float[?,4] y) { y = Relu(x) }')).toEqual({ kind: 'yes' });
  });

  it('is given where the exporter names the batch of an output anew, as TorchScript does', () => {
    expect(judge('g (float[batch,4] x) => (float[Reluy_dim_0,4] y) { y = Relu(x) }')).toEqual({ kind: 'yes' });
  });

  it('is given for a vector with one number a row', () => {
    const text = 'g (float[N,4] x) => (int64[N] y) { y = ArgMax<axis=1, keepdims=0>(x) }';
    expect(judge(text)).toEqual({ kind: 'yes' });
  });

  it.each([
    ['the first dimension of an input is fixed', 'g (float[1,4] x) => (float[1,4] y) { y = Relu(x) }', /always 1/],
    ['an input is a scalar', 'g (float[N,4] x, float s) => (float[N,4] y) { y = Mul(x, s) }', /"s" is a scalar/],
    ['an output is a scalar', 'g (float[N,4] x) => (float y) { y = ReduceSum<keepdims=0>(x) }', /"y" is a scalar/],
    [
      'one of two inputs is fixed',
      'g (float[N,4] x, float[2,4] s) => (float[N,4] y) { y = Relu(x) }',
      /"s" is always 2/,
    ],
    [
      'the first dimension is an expression',
      'g (float["2*N",4] x) => (float["2*N",4] y) { y = Relu(x) }',
      /expression/,
    ],
  ])('is not given where %s', (_why, text, why) => {
    const found = judge(text);
    expect(found).toMatchObject({ kind: 'no', why: expect.stringMatching(why) as string });
  });

  it.each([
    [
      'two inputs begin with other names',
      'g (float[N,4] x, float[M,4] z) => (float[N,4] y) { y = Relu(x) }',
      /N and "z" with M/,
    ],
    ['the name stands elsewhere too', 'g (float[N,N] x) => (float[N,N] y) { y = Relu(x) }', /also another dimension/],
    ['the name is that of a sequence', 'g (float[seq,4] x) => (float[seq,4] y) { y = Relu(x) }', /called seq/],
    [
      'an output counts something else',
      'g (float[N,4] x) => (int64[found,2] y) { z = NonZero(x) y = Transpose(z) }',
      /"y" \(found\)/,
    ],
  ])('is left to the user where %s', (_why, text, why) => {
    expect(judge(text)).toMatchObject({ kind: 'possible', why: expect.stringMatching(why) as string });
  });
});

describe('the choice of max_batch_size', () => {
  it('is 8 where a batch is possible and nothing is said, and says so', () => {
    const { maxBatch, notes } = chooseBatch({ kind: 'yes' }, undefined, 'm.onnx');
    expect([maxBatch, notes.join()]).toEqual([8, expect.stringContaining('--max-batch')]);
  });

  it('is what the user wants, 0 included', () => {
    expect([0, 1, 64].map((size) => chooseBatch({ kind: 'yes' }, size, 'm.onnx').maxBatch)).toEqual([0, 1, 64]);
  });

  it('is 0 with the reason where nothing shows a batch, unless the user knows better', () => {
    const found = { kind: 'possible', why: 'the first dimension is called seq' } as const;
    expect(chooseBatch(found, undefined, 'm.onnx')).toMatchObject({
      maxBatch: 0,
      notes: [expect.stringContaining('seq')],
    });
    expect(chooseBatch(found, 4, 'm.onnx').maxBatch).toBe(4);
  });

  it('refuses a batch for a fixed first dimension, and names the command that opens it', () => {
    const found = { kind: 'no', why: 'it is always 1', fixed: true } as const;
    expect(() => chooseBatch(found, 4, 'm.onnx')).toThrowError(
      expect.objectContaining({ code: 'SO3501', hint: expect.stringContaining('optimize m.onnx --dynamic batch') }),
    );
  });
});
