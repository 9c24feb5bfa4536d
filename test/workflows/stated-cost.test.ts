import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { statedCost } from '../../src/workflows/stated-cost.js';

const model = (inputs: string, body: string, weights = '') =>
  parseModel(`<ir_version: 8, opset_import: ["" : 17]> g (${inputs}) => (float[] y) ${weights} { ${body} }`);

describe('multiply-adds at stated sizes', () => {
  it('take the sizes of synthetic inputs, and are a sum over the open ones', () => {
    const { cost, sizes, expression } = statedCost(model('float[batch,seq,8] x, float[8,3] w', 'y = MatMul(x, w)'));
    expect(sizes).toEqual([
      { name: 'batch', size: 1 },
      { name: 'seq', size: 16 },
    ]);
    expect(cost.macs).toBe(16 * 24);
    expect(expression).toBe('24*batch*seq');
  });

  it('take those that are given', () => {
    const given = new Map([
      ['batch', 2],
      ['x:1', 40],
    ]);
    const { cost, sizes } = statedCost(model('float[batch,?,8] x, float[8,3] w', 'y = MatMul(x, w)'), given);
    expect(sizes).toEqual([
      { name: 'batch', size: 2 },
      { name: 'x:1', size: 40 },
    ]);
    expect(cost.macs).toBe(2 * 40 * 24);
  });

  it('take larger ones where a window would not fit, rather than count nothing', () => {
    const { cost, sizes } = statedCost(model('float[n,1,time] x, float[4,1,200] w', 'y = Conv<strides=[50]>(x, w)'));
    expect(sizes.find(({ name }) => name === 'time')?.size).toBe(256);
    expect(cost.macs).toBe(4 * 2 * 200);
    expect(cost.empty).toEqual([]);
  });

  it('say so where the sizes that were given leave a layer empty', () => {
    const net = model('float[n,1,time] x, float[4,1,200] w', 'y = Conv(x, w)');
    const { cost } = statedCost(net, new Map([['time', 20]]));
    expect(cost.macs).toBe(0);
    expect(cost.empty.length + cost.unknown.length).toBe(1);
  });

  it('of what has no open size are one number, and unknown names are refused with what there is', () => {
    const fixed = statedCost(model('float[2,5,8] x, float[8,3] w', 'y = MatMul(x, w)'));
    expect(fixed).toMatchObject({ sizes: [], expression: 240, cost: { macs: 240 } });
    const open = model('float[batch,8] x, float[8,3] w', 'y = MatMul(x, w)');
    expect(() => statedCost(open, new Map([['batsh', 2]]))).toThrow(/no dimension "batsh"/);
  });
});
