import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { modelCost, nodeCost } from '../../src/ops/cost.js';
import { inferTypes } from '../../src/ops/infer-types.js';

function costOf(inputs: string, body: string, symbols?: ReadonlyMap<string, number>) {
  const model = parseModel(
    `<ir_version: 10, opset_import: ["": 23, "com.microsoft": 1]> net (${inputs}) => (float[] out) { ${body} }`,
  );
  inferTypes(model);
  return modelCost(model, symbols ? { symbols } : {});
}

describe('multiply-accumulates', () => {
  const rows: readonly [title: string, inputs: string, body: string, macs: number][] = [
    ['Conv', 'float[1,3,8,8] x, float[16,3,3,3] w', 'out = Conv<pads=[1,1,1,1]>(x, w)', 16 * 64 * 27],
    ['depthwise Conv', 'float[1,4,8,8] x, float[4,1,3,3] w', 'out = Conv<group=4,pads=[1,1,1,1]>(x, w)', 4 * 64 * 9],
    ['ConvTranspose', 'float[1,4,8,8] x, float[4,2,3,3] w', 'out = ConvTranspose(x, w)', 256 * 18],
    ['MatMul', 'float[2,5,8] x, float[8,3] w', 'out = MatMul(x, w)', 2 * 5 * 8 * 3],
    ['Gemm', 'float[8,5] x, float[3,8] w', 'out = Gemm<transA=1,transB=1>(x, w)', 5 * 8 * 3],
    ['LSTM', 'float[7,2,8] x, float[1,64,8] w, float[1,64,16] r', 'out = LSTM<hidden_size=16>(x, w, r)', 14 * 64 * 24],
    [
      'Attention',
      'float[2,4,5,16] q, float[2,4,6,16] k, float[2,4,6,16] v',
      'out = Attention(q, k, v)',
      8 * 5 * 6 * 32,
    ],
    ['Einsum', 'float[2,5,8] x, float[8,3] w', 'out = Einsum<equation="bij,jk->bik">(x, w)', 2 * 5 * 8 * 3],
    ['Relu', 'float[2,5,8] x', 'out = Relu(x)', 0],
  ];
  it.each(rows)('counts %s', (_, inputs, body, macs) => {
    expect(costOf(inputs, body).macs).toBe(macs);
  });

  it('names the symbols it took as 1, and uses those given', () => {
    const open = costOf('float[batch,s,8] x, float[8,3] w', 'out = MatMul(x, w)');
    expect([open.macs, open.assumedSymbols]).toEqual([24, ['batch', 's']]);
    const given = new Map([
      ['batch', 2],
      ['s', 5],
    ]);
    const closed = costOf('float[batch,s,8] x, float[8,3] w', 'out = MatMul(x, w)', given);
    expect([closed.macs, closed.assumedSymbols]).toEqual([240, []]);
  });

  it('names unnamed sizes of inputs after the input', () => {
    const cost = costOf('float[?,8] x, float[8,3] w', 'out = MatMul(x, w)');
    expect([cost.macs, cost.assumedSymbols]).toEqual([24, ['x.dim0']]);
  });

  it('lists nodes whose sizes are unknown', () => {
    const cost = costOf('float[] x, float[8,3] w', 'out = MatMul(x, w)');
    expect(cost.unknown.map((node) => node.opType)).toEqual(['MatMul']);
  });

  it('keeps the expression for a single node, and its weights', () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
      net (float[b,4] x) => (float[] out) <float[4,2] w = {1,2,3,4,5,6,7,8}> { out = MatMul(x, w) }`);
    inferTypes(model);
    const [node] = model.graph.nodes;
    expect(node && nodeCost(node)).toEqual({ macs: '8*b', weightBytes: 32 });
  });

  it('counts a function body once a call', () => {
    const model = parseModel(`<ir_version: 10, opset_import: ["": 17, "local": 1]>
      net (float[2,4] x, float[4,4] w) => (float[] out) { a = local.f(x, w) out = local.f(a, w) }
      <domain: "local", opset_import: ["": 17]> f (v, w) => (r) { r = MatMul(v, w) }`);
    inferTypes(model);
    expect(modelCost(model).macs).toBe(2 * 32);
  });
});
