import { describe, expect, it } from 'vitest';
import { allNodes } from '../../src/ir/walk.js';
import { randomOutputs } from '../../src/workflows/optimize/random-outputs.js';
import { LARGE_GRAPHS, REFUSED } from '../helpers/large-graphs/all.js';

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

  it('are found at any depth', () => {
    expect(visitsOf('nested If with random numbers inside', 60).names.size).toBe(1);
  });
});
