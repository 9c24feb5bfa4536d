import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlphaSpending } from '../../src/bench/alpha-spending.js';

const plan = (alpha: number) => new AlphaSpending(alpha, (look) => 100 * 2 ** (look - 1));

describe('AlphaSpending', () => {
  it('gives look k its share, and the last one what is left', () => {
    const spending = plan(0.06);
    expect(spending.due(99, false)).toBeUndefined();
    expect(spending.due(100, false)).toBeCloseTo(0.03, 15);
    spending.spend(100, false);
    expect(spending.due(150, false)).toBeUndefined();
    expect(spending.next()).toBeCloseTo(0.01, 15);
    expect(spending.due(200, false)).toBeCloseTo(0.01, 15);
    expect(spending.due(130, true)).toBeCloseTo(0.03, 15);
    spending.spend(130, true);
    expect(spending.due(130, true)).toBe(0);
  });

  it('gives a late look the shares of those it skipped', () => {
    expect(plan(0.06).due(450, false)).toBeCloseTo(0.06 * (1 - 1 / 4), 15);
  });

  it('never spends more than there is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 }), (steps) => {
        const spending = plan(0.05);
        let size = 0;
        let total = 0;
        for (const [i, step] of steps.entries()) {
          size += step;
          const final = i === steps.length - 1;
          const tail = spending.due(size, final);
          if (tail === undefined) continue;
          total += tail;
          spending.spend(size, final);
        }
        expect(total).toBeLessThanOrEqual(0.05 + 1e-12);
      }),
    );
  });
});
