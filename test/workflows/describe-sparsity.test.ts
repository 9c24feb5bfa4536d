import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { describeSparsity } from '../../src/workflows/describe-sparsity.js';

const TEXT = `<ir_version: 10, opset_import: ["": 17]> g (float[N,4] x) => (float[N,2] y)
  <float[4,2] w = {1,0,0,4,0,6,7,0}, float[2,2] v = {1,2,3,4}>
  { a = MatMul (x, w) y = MatMul (a, v) }`;

describe('describeSparsity', () => {
  it('counts zeros layer by layer and together, and names patterns and runtimes', () => {
    const { layers, runtimes, ...whole } = describeSparsity(parseModel(TEXT));
    expect(whole).toMatchObject({ elements: 12, zeros: 4, bytes: 48, estimatedCompressedBytes: expect.any(Number) });
    expect(layers.map(({ weight, zeros, pattern }) => ({ weight, zeros, pattern }))).toEqual([
      { weight: 'w', zeros: 4, pattern: { name: '1:2', axis: 0, alongInputs: true } },
      { weight: 'v', zeros: 0, pattern: undefined },
    ]);
    expect(runtimes[0]).toMatchObject({ name: 'TensorRT 8 and newer', layers: 1 });
    expect(runtimes.find(({ name }) => name === 'ONNX Runtime on a CPU')?.layers).toBe(0);
  });

  it('gives no compressed size for a model without zeros', () => {
    const dense = TEXT.replace('1,0,0,4,0,6,7,0', '1,2,3,4,5,6,7,8');
    expect(describeSparsity(parseModel(dense)).estimatedCompressedBytes).toBeUndefined();
  });
});
