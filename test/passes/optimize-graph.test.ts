import { describe, expect, it } from 'vitest';
import { countModel } from '../../src/ir/diff.js';
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

  it('counts what each pass did to the nodes, subgraphs included, so that the sum is the difference', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
      g (float[2] x, bool c) => (float[2] y) <bool yes = {1}>
      {
        y = If (yes) <then_branch = t () => (float[2] a) {
          i = Identity (x)
          a = If (c) <then_branch = tt () => (float[2] b) { k = Relu (i) b = Neg (k) },
                      else_branch = te () => (float[2] d) { d = Identity (i) }>
        }, else_branch = e () => (float[2] f) { h = Relu (x) f = Identity (h) }>
      }`);
    const before = countModel(model).nodes;
    const { applied } = await optimizeGraph(model);
    expect(applied.map(({ pass }) => pass)).toContain('inline-if');
    expect(applied.reduce((sum, { nodesDelta }) => sum + nodesDelta, before)).toBe(countModel(model).nodes);
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
    expect(() => optimizeRecipe({ add: ['eliminate-identiti'] })).toThrow('Unknown pass "eliminate-identiti"');
  });
});
