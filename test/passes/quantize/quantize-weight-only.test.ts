import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { quantizeWeightOnly } from '../../../src/passes/quantize/weight-only/quantize-weight-only.js';
import type { WeightOnlyOptions } from '../../../src/passes/quantize/weight-only/weight-only-options.js';

const weight = (name: string, ...dims: number[]): string => {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return `float[${dims}] ${name} = {${Array.from({ length }, (_, at) => ((at * 37) % 101) / 50 - 1).join(', ')}}`;
};

/** What becomes of a graph: its operators, and `node: reason` for each that is left. */
async function quantized(text: string, options: Partial<WeightOnlyOptions>, opset = 17) {
  const model = parseModel(`<ir_version: 10, opset_import: ["": ${opset}]> ${text}`);
  const { steps } = await model.transform(quantizeWeightOnly({ smallestWeight: 0, ...options }));
  return {
    operators: [...model.graph.nodes].map(({ opType }) => opType),
    reasons: (steps[0]?.refusals ?? []).map(({ opType, reason }) => `${opType}: ${reason}`),
    attributes: [...model.graph.nodes].map((node) => [node.int('K', 0), node.int('block_size', 0)]),
  };
}

/** A table of `width` that is looked up, and gives the scores. */
const tied = (width: number): string => `
  g (int64[B] ids) => (float[B,32] y) <${weight('t', 32, width)}> {
    e = Gather (t, ids)
    turned = Transpose <perm = [1, 0]> (t)
    y = MatMul (e, turned)
  }`;
const product = `g (float[2,24] x) => (float[2,8] y) <${weight('w', 24, 8)}> { y = MatMul (x, w) }`;

describe('quantize-weight-only', () => {
  it('takes the largest block that divides the rows of a table that gives the scores', async () => {
    const { operators, attributes } = await quantized(tied(48), { operators: 'ort', block: 64 });
    expect(operators).toEqual(['Reshape', 'GatherBlockQuantized', 'MatMulNBits']);
    expect(attributes.slice(1)).toEqual([
      [0, 16],
      [48, 16],
    ]);
  });

  it('leaves such a table where no block divides its rows: it cannot be padded', async () => {
    const { operators, reasons } = await quantized(tied(24), { operators: 'ort' });
    expect(operators).toEqual(['Gather', 'Transpose', 'MatMul']);
    const reason = 'its rows of 24 do not divide into blocks, and a table that products read cannot be padded';
    expect(reasons).toEqual([`Gather: ${reason}`, `MatMul: ${reason}`]);
  });

  it('pads the last block of a weight that is multiplied by alone', async () => {
    const { operators, attributes, reasons } = await quantized(product, { operators: 'ort' });
    expect(operators).toEqual(['MatMulNBits']);
    expect(attributes).toEqual([[24, 32]]);
    expect(reasons).toEqual([]);
  });

  it('leaves what needs DequantizeLinear in blocks before opset 21, and says which flag helps', async () => {
    const old = await quantized(product, { operators: 'portable' }, 20);
    expect(old.operators).toEqual(['MatMul']);
    expect(old.reasons).toEqual([
      'MatMul: DequantizeLinear in blocks needs opset 21, and the model has opset 20: --operators ort needs none',
    ]);
    expect((await quantized(product, { operators: 'portable' }, 21)).operators).toEqual(['DequantizeLinear', 'MatMul']);
    const stack = `g (float[2,3,32] x) => (float[2,3,8] y) <${weight('w', 2, 32, 8)}> { y = MatMul (x, w) }`;
    expect((await quantized(stack, { operators: 'ort' })).reasons).toEqual([
      'MatMul: a stack of matrices needs DequantizeLinear of opset 21, and the model has opset 17: --operators portable raises it',
    ]);
  });
});
