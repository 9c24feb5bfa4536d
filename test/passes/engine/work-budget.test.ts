import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { verifyModel } from '../../../src/ir/verify.js';
import { allNodes } from '../../../src/ir/walk.js';
import { WorkBudget } from '../../../src/passes/engine/work-budget.js';
import { optimizeGraph } from '../../../src/passes/optimize-graph.js';
import { LARGE_GRAPHS } from '../../helpers/large-graphs/all.js';

function made(name: string, size: number): Model {
  const model = LARGE_GRAPHS.find((each) => each.name === name)?.make(size);
  if (!model) throw new Error(`there is no "${name}"`);
  return model;
}

describe('a budget of work', () => {
  it('does not count what is small, and ends', () => {
    const budget = new WorkBudget(10);
    for (let times = 0; times < 100_000; times++) budget.spend(31);
    let times = 0;
    while (budget.spend(1000)) times++;
    expect(times).toBeGreaterThanOrEqual(2000);
    expect(times).toBeLessThan(2100);
  });
});

/** Sizes at which work that grows with the square of them, or worse, does not end within the time of a test. */
describe('optimizing a large graph', () => {
  it.each([
    ['Concat of Concat of Concat', 4000],
    ['chain of Concat with a constant', 4000],
    ['Split into many, joined again', 3000],
    ['many slices of one value', 3000],
    ['one value with many readers, joined by Concat', 3000],
    ['nested If with If in both branches', 60],
    ['nested Loop', 60],
    ['nested Scan', 60],
  ])('ends with a sound model: %s', async (name, size) => {
    const model = made(name, size);
    const outcome = await optimizeGraph(model, { level: 'max' });
    expect(verifyModel(model)).toEqual([]);
    expect(outcome.settled).toBe(true);
  });

  it('merges a row of Concats at once', async () => {
    const model = made('chain of Concat with a constant', 2000);
    const outcome = await optimizeGraph(model, { level: 'max' });
    expect([...allNodes(model)]).toHaveLength(1);
    const merged = outcome.applied.flatMap(({ nodes }) => nodes.length);
    expect(merged.reduce((sum, count) => sum + count, 0)).toBeLessThan(2 * 2000 + 100);
  });
});
