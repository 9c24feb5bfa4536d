import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { matchesGlob, matchNodes, nodeSelector } from '../../src/passes/node-filter.js';

const model = () =>
  parseModel(`<ir_version: 8, opset_import: ["": 17]>
g (float[2] x) => (float[2] y)
{
  ["encoder/layer.0/relu"] a = Relu (x)
  ["encoder/layer.1/relu"] b = Relu (a)
  y = Neg (b)
}`);

const labels = (patterns: string[]) =>
  [...matchNodes(model(), patterns)].map((node) => node.name || node.output().name);

describe('matchNodes', () => {
  it('finds nodes by name, by glob, by op type and, when unnamed, by their output', () => {
    expect(labels(['encoder/layer.0/relu'])).toEqual(['encoder/layer.0/relu']);
    expect(labels(['encoder/*/relu'])).toEqual(['encoder/layer.0/relu', 'encoder/layer.1/relu']);
    expect(labels(['Relu'])).toHaveLength(2);
    expect(labels(['y'])).toEqual(['y']);
  });

  it('says which name may have been meant when a pattern matches nothing', () => {
    expect(() => labels(['encoder/layer.0/rela'])).toThrowError(
      expect.objectContaining({ code: 'SO1003', hint: 'did you mean "encoder/layer.0/relu"?' }),
    );
    expect(() => labels(['decoder*'])).toThrowError(expect.objectContaining({ code: 'SO1003' }));
  });
});

describe('nodeSelector', () => {
  it('lets exclude win over include', () => {
    const one = model();
    const selected = nodeSelector(one, { include: ['Relu'], exclude: ['*layer.1*'] });
    expect([...one.graph.nodes].map(selected)).toEqual([true, false, false]);
  });
});

describe('matchesGlob', () => {
  it('matches runs with * and single characters with ?', () => {
    expect(matchesGlob('layer.10/relu', 'layer.??/*')).toBe(true);
    expect(matchesGlob('layer.1/relu', 'layer.??/*')).toBe(false);
    expect(matchesGlob('abcabd', '*abd')).toBe(true);
    expect(matchesGlob('', '*')).toBe(true);
  });

  it('takes no exponential time on hostile patterns', () => {
    expect(matchesGlob('a'.repeat(20_000), `${'*a'.repeat(500)}b`)).toBe(false);
  });
});
