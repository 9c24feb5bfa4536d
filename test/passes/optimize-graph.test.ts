import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { optimizeGraph, optimizeRecipe } from '../../src/passes/optimize-graph.js';

const CHAIN = `<ir_version: 8, opset_import: ["": 17]>
g (float[2] x) => (float[2] y)
{
  a = Identity (x)
  b = Relu (a)
  unused = Neg (b)
  y = Identity (b)
}`;

describe('optimizeGraph', () => {
  it('runs to a fixed point and says what it did', async () => {
    const model = parseModel(CHAIN);
    const outcome = await optimizeGraph(model);
    expect(outcome.settled).toBe(true);
    expect(outcome.applied.map(({ pass, nodes }) => `${pass} ${nodes.map(({ label }) => label)}`)).toEqual([
      'eliminate-dead unused',
      'eliminate-identity a',
      'eliminate-identity y',
    ]);
    const text = printModel(model);
    expect(text).toContain('y = Relu (x)');
    expect((await optimizeGraph(model)).applied).toEqual([]);
    expect(printModel(model)).toBe(text);
  });

  it('stops at the limit, with a sound model', async () => {
    const model = parseModel(CHAIN);
    const outcome = await optimizeGraph(model, { gate: { limit: 1 } });
    expect(outcome.applied.length).toBe(1);
    expect(outcome.settled).toBe(false);
    expect(model.graph.nodes.size).toBe(3);
  });

  it('leaves out what is forbidden', async () => {
    const model = parseModel(CHAIN);
    await optimizeGraph(model, {
      gate: { isForbidden: (pass, label) => pass === 'eliminate-identity' && label === 'y' },
    });
    expect([...model.graph.nodes].map((node) => node.opType)).toEqual(['Relu', 'Identity']);
  });

  it('names the pass that a shortened name begins', () => {
    const hint = (): unknown => {
      try {
        return optimizeRecipe({ add: ['fuse-layernorm'] });
      } catch (error) {
        return error;
      }
    };
    expect(hint()).toMatchObject({ code: 'SO1006', hint: 'did you mean "fuse-layer-normalization"?' });
  });

  it('names the nearest pass for a mistyped one', () => {
    expect(() => optimizeRecipe({ add: ['eliminate-identiti'] })).toThrow('There is no pass "eliminate-identiti"');
  });
});
