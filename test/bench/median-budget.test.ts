import { describe, expect, it } from 'vitest';
import { judgeMedianBudget } from '../../src/bench/median-budget.js';
import { createRandom } from '../../src/tensor/random.js';

const judge = (values: readonly number[], final = false) => judgeMedianBudget(values, 500, { final });

describe('judgeMedianBudget', () => {
  it('passes with 5 of 5 within and fails with 5 of 5 over', () => {
    expect(judge([400, 410, 420, 430, 500])).toEqual({
      verdict: 'pass',
      over: 0,
      values: 5,
      why: '5 of 5 starts within; the median is within with 95 % confidence',
    });
    expect(judge([501, 510, 520, 530, 540])).toMatchObject({ verdict: 'fail', over: 5 });
  });

  it('goes on where they differ, and says so at the end', () => {
    const mixed = [400, 410, 420, 600, 430];
    expect(judge(mixed).verdict).toBeUndefined();
    expect(judge(mixed, true)).toMatchObject({
      verdict: 'inconclusive',
      why: '1 of 5 starts over: too close to half to decide',
    });
    expect(judge([...mixed, 1, 1, 1, 1, 1], true).verdict).toBe('pass');
    expect(judge([1, 1, 1, 1], true)).toMatchObject({
      verdict: 'inconclusive',
      why: '0 of 4 starts over; needs 5 starts',
    });
    expect(judge([], true).verdict).toBe('inconclusive');
  });

  it('keeps a verdict once it was taken', () => {
    const values = [1, 1, 1, 1, 1, 900, 900, 900, 900, 900];
    for (let n = 5; n <= 10; n++) expect(judge(values.slice(0, n)).verdict).toBe('pass');
  });

  it('is wrong in at most 5 % of cases although it looks again and again', () => {
    let passed = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const random = createRandom(1, trial);
      // A median exactly at the limit is the worst case.
      const values: number[] = [];
      for (let n = 1; n <= 40; n++) {
        values.push(random.float() * 1000);
        const { verdict } = judge(values, n === 40);
        if (verdict !== undefined) {
          if (verdict === 'pass') passed++;
          break;
        }
      }
    }
    expect(passed / 2000).toBeLessThan(0.06);
  });
});
