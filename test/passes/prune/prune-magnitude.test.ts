import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { constantTensor } from '../../../src/ir/walk.js';
import { pruneMagnitude } from '../../../src/passes/prune/prune-magnitude.js';

const TWO = `<ir_version: 10, opset_import: ["": 17]> g (float[N,4] x) => (float[N,2] y)
  <float[4,2] w = {1,-2,3,-4,5,-6,7,-8}, float[2,2] v = {10,20,30,40}>
  { a = MatMul (x, w) y = MatMul (a, v) }`;

function weights(text: string, options: Parameters<typeof pruneMagnitude>[1]) {
  const model = parseModel(text);
  const rows = pruneMagnitude(model, options);
  const values = (name: string) => [...(constantTensor(model.graph.values.get(name))?.float32Array() ?? [])];
  return { rows, w: values('w'), v: values('v') };
}

describe('pruneMagnitude', () => {
  it('sets the smallest weights of each layer to zero, in place', () => {
    const { rows, w, v } = weights(TWO, { amount: 0.5 });
    expect(w).toEqual([0, 0, 0, 0, 5, -6, 7, -8]);
    expect(v).toEqual([0, 0, 30, 40]);
    expect(rows.map(({ weight, elements, zeros }) => ({ weight, elements, zeros }))).toEqual([
      { weight: 'w', elements: 8, zeros: 4 },
      { weight: 'v', elements: 4, zeros: 2 },
    ]);
  });

  it('weighs all layers against each other with global', () => {
    const { w, v } = weights(TWO, { amount: 0.5, global: true });
    expect(w).toEqual([0, 0, 0, 0, 0, 0, 7, -8]);
    expect(v).toEqual([10, 20, 30, 40]);
  });

  it('keeps N of every M inputs of an output, and says where the inputs do not divide', () => {
    const { rows, w, v } = weights(TWO, { pattern: '2:4' });
    expect(w).toEqual([0, 0, 0, 0, 5, -6, 7, -8]);
    expect(v).toEqual([10, 20, 30, 40]);
    expect(rows[1]?.left).toBe('its 2 inputs are not a multiple of 4');
  });

  it('refuses an amount and a pattern that mean nothing', () => {
    expect(() => weights(TWO, { amount: -1 })).toThrow('--amount');
    expect(() => weights(TWO, { pattern: '4:2' })).toThrow('--pattern');
    expect(() => weights(TWO, { include: ['none'] })).toThrow('No node');
  });
});
