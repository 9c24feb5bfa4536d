import { describe, expect, it } from 'vitest';
import { type PairedRound, ratioOfRounds } from '../../src/bench/paired-rounds.js';
import { createRandom, type Random } from '../../src/tensor/random.js';

/** Blocks of two models whose sessions differ by `placement` from round to round, whatever the model. */
function rounds(random: Random, count: number, ratio: number, placement: number): PairedRound[] {
  const times = (mean: number): Float64Array => {
    const session = mean * Math.exp(placement * random.normal());
    return Float64Array.from({ length: 5 }, () => session * Math.exp(0.01 * random.normal()));
  };
  return Array.from({ length: count }, () => ({ baselineMs: times(1), candidateMs: times(ratio) }));
}

describe('the ratio of fresh sessions', () => {
  it('has an interval over rounds: one pair of sessions says little, however exact', () => {
    const random = createRandom(3);
    let covered = 0;
    for (let trial = 0; trial < 100; trial++) {
      const { low = 0, high = 0 } = ratioOfRounds(rounds(random, 8, 1, 0.05), { resamples: 200 });
      if (low <= 1 && high >= 1) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(93);
  });

  it('finds what stands out', () => {
    const found = ratioOfRounds(rounds(createRandom(4), 8, 0.5, 0.05));
    expect(found.median).toBeGreaterThan(0.45);
    expect(found.high).toBeLessThan(0.6);
    expect(found.pairs).toBe(40);
  });

  it('goes by pairs where there are fewer than three rounds', () => {
    const [round] = rounds(createRandom(5), 1, 2, 0) as [PairedRound];
    const long = { baselineMs: new Float64Array(12).fill(10), candidateMs: new Float64Array(12).fill(20) };
    expect(ratioOfRounds([long])).toMatchObject({ median: 2, low: 2, high: 2, pairs: 12 });
    expect(ratioOfRounds([round]).median).toBeCloseTo(2, 1);
  });
});
