import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { allNodes } from '../../../src/ir/walk.js';
import { randomOutputs } from '../../../src/workflows/workbench/random-outputs.js';
import { LARGE_GRAPHS, REFUSED } from '../../helpers/large-graphs/all.js';

function visitsOf(
  name: string,
  depth: number,
): { readonly visits: number; readonly nodes: number; readonly names: Set<string> } {
  const model = [...LARGE_GRAPHS, ...REFUSED].find((each) => each.name === name)?.make(depth);
  if (!model) throw new Error(`there is no "${name}"`);
  let visits = 0;
  const names = randomOutputs(model, () => {
    visits++;
  });
  return { visits, nodes: [...allNodes(model)].length, names };
}

describe('outputs that depend on random numbers', () => {
  it.each(['nested If', 'nested If with If in both branches', 'nested Loop', 'nested Scan', 'functions that call two'])(
    'are found with one look at each node: %s',
    (name) => {
      const { visits, nodes, names } = visitsOf(name, 60);
      expect(visits).toBeLessThanOrEqual(nodes);
      expect(names.size).toBe(0);
    },
  );

  it.each([
    ['the shape of drawn numbers', 's = Shape (r)', []],
    ['the size of drawn numbers', 's = Size (r)', []],
    ['the shape of what is computed from them', 'a = Add (r, x) b = ReduceMean <axes = [0]> (a) s = Shape (b)', []],
    ['the shape of as many as are not zero', 'n = NonZero (r) s = Shape (n)', ['s']],
    ['a shape that they give', 'c = Cast <to = 7> (r) t = Squeeze (c) e = Expand (x, t) s = Shape (e)', ['s']],
    ['numbers computed from them', 'd = Neg (r) s = Cast <to = 7> (d)', ['s']],
  ])('are told from %s', (_what, body, expected) => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (float[4] x) => (int64[] s) {
      r = RandomNormal <shape = [1, 4]> () ${body} }`);
    expect([...randomOutputs(model)]).toEqual(expected);
  });

  it('are found at any depth', () => {
    expect(visitsOf('nested If with random numbers inside', 60).names.size).toBe(1);
  });
});
