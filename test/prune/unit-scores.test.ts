import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { aligned, allocate } from '../../src/prune/allocate.js';
import { findDependencies } from '../../src/prune/dependency-groups.js';
import type { UnitScore } from '../../src/prune/score-names.js';
import { scoreUnits } from '../../src/prune/unit-scores.js';
import { weightAxesOf } from '../../src/prune/unit-weights.js';

/** Two layers with four hidden units; the rows that make them are (3, 4), (0, 1), (−6, 8) and (1, 0). */
const MODEL = `<ir_version: 8, opset_import: ["": 17]>
two (float[n,2] x) => (float[n,3] y)
<float[4,2] w = {3, 4, 0, 1, -6, 8, 1, 0}, float[3,4] v = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}>
{
  h = Gemm<transB = 1>(x, w)
  y = Gemm<transB = 1>(h, v)
}`;

function scores(score: UnitScore): number[] {
  const dependencies = findDependencies(parseModel(MODEL));
  const [group] = dependencies.groups;
  if (!group) throw new Error('there is no group');
  return [...scoreUnits(group, weightAxesOf(dependencies, group), { score })];
}

describe('scoreUnits', () => {
  it('is the norm of the rows that make a unit', () => {
    expect(scores('l2')).toEqual([5, 1, 10, 1]);
    expect(scores('l1')).toEqual([7, 1, 14, 1]);
  });

  it('sums the distances to the other rows', () => {
    const rows = [
      [3, 4],
      [0, 1],
      [-6, 8],
      [1, 0],
    ];
    const expected = rows.map(([a = 0, b = 0]) =>
      rows.reduce((sum, [c = 0, d = 0]) => sum + Math.hypot(a - c, b - d), 0),
    );
    for (const [at, value] of scores('fpgm').entries()) expect(value).toBeCloseTo(expected[at] as number, 6);
  });

  it('divides by what is not smaller, so that the largest is 1 in every group (LAMP)', () => {
    const lamp = scores('lamp');
    for (const [at, value] of [25 / 125, 1 / 127, 1, 1 / 127].entries()) expect(lamp[at]).toBeCloseTo(value, 12);
  });

  it('gives the same random scores each time, between 0 and 1', () => {
    expect(scores('random')).toEqual(scores('random'));
    for (const value of scores('random')) expect(value >= 0 && value < 1).toBe(true);
  });
});

describe('allocate', () => {
  const { groups } = findDependencies(parseModel(MODEL));
  const [group] = groups;
  if (!group) throw new Error('there is no group');
  const scored = { group, scores: Float64Array.of(5, 1, 10, 1), align: 1 };

  it('cuts the units of the lowest scores, of equal ones the first', () => {
    expect(allocate([scored], { amount: 0.25 })).toEqual([group.units[1]]);
    expect(allocate([scored], { amount: 3 })).toEqual([group.units[1], group.units[3], group.units[0]]);
  });

  it('leaves one unit, however much is asked for', () => {
    expect(allocate([scored], { amount: 0.999 })).toHaveLength(3);
    expect(allocate([scored], { amount: 100 })).toHaveLength(3);
  });

  it('weighs groups against each other by their own means', () => {
    const large = { ...scored, scores: Float64Array.of(500, 400, 600, 500) };
    expect(allocate([scored, large], { amount: 0.25, global: true })).toEqual([group.units[1], group.units[3]]);
  });

  it('moves what is kept to the nearest multiple, never to none', () => {
    expect(aligned(14, 48, 8)).toBe(16);
    expect(aligned(10, 48, 8)).toBe(8);
    expect(aligned(47, 48, 8)).toBe(40);
    expect(aligned(3, 10, 8)).toBe(3);
    expect(aligned(1, 48, 8)).toBe(1);
  });
});
