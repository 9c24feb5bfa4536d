import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateWithin, type LayerCost, totalCost } from '../../src/prune/budgeted-allocation.js';
import type { DependencyGroup } from '../../src/prune/dependency-groups.js';
import { scaledLosses, scoreLosses, type WidthLevel, widthLevels } from '../../src/prune/width-levels.js';

const group = (size: number): DependencyGroup => ({
  name: 'g',
  units: Array.from({ length: size }, (_, at) => ({ parts: [{ axis: 0, indices: [at] }] })),
  axes: [0],
  marks: [],
});

/** The smallest loss at a cost, by trying everything. */
function bestLoss(levels: readonly (readonly WidthLevel[])[], layers: readonly LayerCost[], budget: number): number {
  let best = Number.POSITIVE_INFINITY;
  const visit = (at: number[]): void => {
    if (at.length < levels.length) {
      for (const level of levels[at.length]?.keys() ?? []) visit([...at, level]);
      return;
    }
    if (totalCost(layers, at) <= budget) best = Math.min(best, lossOf(levels, at));
  };
  visit([]);
  return best;
}

function lossOf(levels: readonly (readonly WidthLevel[])[], at: readonly number[]): number {
  return at.reduce((sum, level, index) => sum + (levels[index]?.[level]?.loss ?? 0), 0);
}

describe('allocateWithin', () => {
  it('keeps the budget, and is close to the best of all choices', () => {
    const shares = [1, 0.75, 0.5, 0.25];
    let apart = 0;
    let cases = 0;
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), { minLength: 4, maxLength: 4 }),
        fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.double({ min: 0.15, max: 0.95, noNaN: true }),
        (costs, weights, share) => {
          const levels = weights.map((weight) =>
            shares.map((left, at) => ({ removed: at, loss: weight * (1 / left - 1) })),
          );
          // A chain: each layer reads one group and makes the next.
          const layers = costs.map(
            (cost, at): LayerCost => ({
              cost,
              shares: new Map([at - 1, at].filter((each) => each >= 0 && each < 3).map((each) => [each, shares])),
            }),
          );
          const budget = share * totalCost(layers, [0, 0, 0]);
          const chosen = allocateWithin(levels, layers, budget);
          if (totalCost(layers, [3, 3, 3]) > budget) {
            expect(chosen).toEqual([3, 3, 3]);
            return;
          }
          expect(totalCost(layers, chosen)).toBeLessThanOrEqual(budget * (1 + 1e-9));
          cases++;
          if (lossOf(levels, chosen) > 1.25 * bestLoss(levels, layers, budget) + 1e-9) apart++;
        },
      ),
      { seed: 5, numRuns: 200 },
    );
    expect(cases).toBeGreaterThan(150);
    expect(apart).toBeLessThan(0.15 * cases);
  });

  it('takes from the group that costs much and loses little', () => {
    const levels = [0.1, 5].map((weight) => [1, 0.5].map((left, removed) => ({ removed, loss: weight * (1 - left) })));
    const layers = [0, 1].map((at): LayerCost => ({ cost: 1, shares: new Map([[at, [1, 0.5]]]) }));
    expect(allocateWithin(levels, layers, 1.6)).toEqual([1, 0]);
    expect(allocateWithin(levels, layers, 2)).toEqual([0, 0]);
  });
});

describe('widthLevels', () => {
  it('keeps multiples of the alignment, from the whole group down to a tenth', () => {
    const scored = { group: group(48), scores: new Float64Array(48), align: 8 };
    expect(widthLevels(scored)).toEqual([0, 8, 16, 24, 32, 40]);
    expect(widthLevels({ ...scored, align: 1 }).at(-1)).toBe(43);
    expect(widthLevels({ ...scored, align: 1 }).length).toBeLessThanOrEqual(12);
    expect(widthLevels({ group: group(3), scores: new Float64Array(3), align: 8 })).toEqual([0, 1, 2]);
  });

  it('moves a group of another width to the next multiple first', () => {
    expect(widthLevels({ group: group(20), scores: new Float64Array(20), align: 8 })).toEqual([0, 4, 12]);
  });
});

describe('losses', () => {
  it('are the share of the scores that goes', () => {
    const scored = { group: group(4), scores: Float64Array.of(3, 1, 2, 4), align: 1 };
    expect(scoreLosses(scored, [0, 1, 2], false).map(({ loss }) => loss)).toEqual([0, 0.1, 0.3]);
    expect(scoreLosses(scored, [0, 1, 2], true).map(({ loss }) => loss)).toEqual([0, 1 / 30, 5 / 30]);
  });

  it('by scores are scaled to what was measured, and grow without bound towards the whole group', () => {
    const byScores = [0, 0.1, 0.3, 0.6].map((loss, removed) => ({ removed, loss }));
    const measured = [
      { removed: 1, loss: 0.2 },
      { removed: 2, loss: 1.2 },
    ];
    const losses = scaledLosses(4, byScores, measured).map(({ loss }) => loss);
    for (const [at, loss] of [0, (3 * 0.1 * 4) / 3, 3 * 0.3 * 2, 3 * 0.6 * 4].entries())
      expect(losses[at]).toBeCloseTo(loss, 12);
  });
});
