/** On which axis channels are: by the nodes before an output, else by its sizes. */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { compare } from '../../../src/workflows/compare.js';
import { channelAxes } from '../../../src/workflows/workbench/channel-axes.js';

const CONSTANTS =
  'float[4, 3, 1, 1] w = {1,2,3,4,5,6,7,8,9,1,2,3}, float[5, 4] m = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2}, float[4] b = {1,2,3,4}, int64[1] one = {1}, int64[1] last = {-1}, int64[3] flat = {0, 4, -1}';

function axesOf(input: string, output: string, nodes: string): readonly number[] | undefined {
  const text = `<ir_version: 8, opset_import: ["" : 17]> g (float[${input}] x) => (float[${output}] y) <${CONSTANTS}> { ${nodes} }`;
  return channelAxes(parseModel(text)).get('y');
}

describe('the axis of channels', () => {
  it.each([
    ['a convolution', 'N,3,H,W', 'N,4,H,W', 'c = Conv (x, w) y = Sigmoid (c)', [1]],
    ['a convolution whose sizes are open', 'N,3,H,W', '?,?,?,?', 'c = Conv (x, w) y = Resize (c, , sizes)', [1]],
    [
      'one that is transposed',
      'N,3,H,W',
      'N,H,W,4',
      'c = Conv (x, w) d = Relu (c) y = Transpose <perm = [0, 2, 3, 1]> (d)',
      [3],
    ],
    ['one whose positions become one axis', 'N,3,H,W', 'N,4,16', 'c = Conv (x, w) y = Reshape (c, flat)', [1]],
    ['a map without the axis', 'N,3,H,W', 'N,H,W', 'c = Conv (x, w) y = Squeeze (c, one)', []],
    ['a mean over channels', 'N,3,H,W', 'N,H,W', 'c = Conv (x, w) y = ReduceMean <axes = [1], keepdims = 0> (c)', []],
    ['a product of matrices', 'N,7,5', 'N,7,4', 'p = MatMul (x, m) y = Add (b, p)', [-1]],
    ['a vector a position', 'N,T,5', '?,?,?', 'p = MatMul (x, m) u = Unsqueeze (p, last) y = Squeeze (u, last)', [-1]],
  ])('of %s', (_, input, output, nodes, axes) => {
    const given = nodes.includes('sizes') ? `sizes = Shape (x) ${nodes}` : nodes;
    expect(axesOf(input, output, given.replaceAll(') ', ')\n'))).toEqual(axes);
  });

  it.each([
    ['N,8,T', [1]],
    ['N,T,8', [-1]],
    ['N,8,H,W', [1]],
    ['2,8,16,32', [1]],
    ['N,H,W,3', [-1]],
    // Either may be.
    ['N,8,16', undefined],
    ['N,S,T', undefined],
    // There is one.
    ['N,8', undefined],
  ])('of float[%s] by its sizes', (dims, axes) => {
    expect(axesOf(dims, dims, 'y = NoSuchOperator (x)')).toEqual(axes);
  });

  it('is not the width of a map, of which a column is lost', async () => {
    const map = (mask: string) =>
      parseModel(
        `<ir_version: 8, opset_import: ["" : 17]> g (float[2, 3, 2, 4] x) => (float[2, 2, 4] y) <float[1, 3, 1, 1] w = {1,2,3}, float[4] mask = {${mask}}, int64[1] one = {1}> {
          c = Conv (x, w)
          d = Mul (c, mask)
          y = Squeeze (d, one) }`,
      );
    const source = { kind: 'seeded', seed: 1, count: 8 } as const;
    const { comparison } = await compare(map('100, 1, 100, 100'), map('100, 0, 100, 100'), source, { latency: false });
    expect(comparison.outputs[0]?.sqnrDb).toBeGreaterThan(20);
    expect(comparison.outputs[0]).not.toHaveProperty('worstChannel');
    expect(comparison.outputs[0]).not.toHaveProperty('constantChannels');
  });
});
