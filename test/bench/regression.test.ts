import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BETWEEN_RUNS_NOISE, judgeAgainstReport } from '../../src/bench/against-report.js';
import { bootstrapMedians } from '../../src/bench/hierarchical-bootstrap.js';
import type { PairedRound } from '../../src/bench/paired-rounds.js';
import { median } from '../../src/bench/quantiles.js';
import { judgeRegression } from '../../src/bench/regression.js';
import { hodgesLehmann, wilcoxonSignedRank } from '../../src/bench/signed-rank.js';
import { createRandom, type Random } from '../../src/tensor/random.js';

const noisy = (random: Random, ms: number, pairs = 40): Float64Array =>
  Float64Array.from({ length: pairs }, () => ms * Math.exp(0.02 * random.normal()));

function rounds(count: number, ratio: number, placement = 0): PairedRound[] {
  return Array.from({ length: count }, (_, round) => {
    const random = createRandom(3, round);
    const shift = (): number => Math.exp(placement * random.normal());
    return {
      baselineMs: noisy(random, 5),
      candidateMs: noisy(random, 5 * ratio * shift()),
      selfMs: noisy(random, 5 * shift()),
    };
  });
}

describe('judgeRegression', () => {
  it('fails a slow-down that stands out, and says by how much', () => {
    const {
      verdict,
      ratio,
      noise,
      why,
      rounds: shown,
      hodgesLehmann: hl,
      wilcoxonP,
    } = judgeRegression(rounds(5, 1.1), { final: false });
    expect(verdict).toBe('fail');
    expect(ratio?.value).toBeCloseTo(1.1, 2);
    expect(ratio?.low).toBeGreaterThan(1.08);
    expect(ratio?.high).toBeLessThan(1.12);
    expect(noise).toBeLessThan(0.02);
    expect(hl).toBeCloseTo(1.1, 2);
    expect(wilcoxonP).toBeLessThan(1e-9);
    expect(shown).toHaveLength(5);
    expect(shown[0]).toMatchObject({ pairs: 40, ratio: expect.closeTo(1.1, 1), selfRatio: expect.closeTo(1, 1) });
    expect(why).toMatch(/^\d+(\.\d)? % slower \(95 %: .* % slower to .* % slower\); noise is .* %$/);
  });

  it('passes what is the same, or faster, or slower by less than counts', () => {
    for (const ratio of [1, 0.8, 1.01])
      expect(judgeRegression(rounds(5, ratio), { final: false }).verdict).toBe('pass');
    expect(judgeRegression(rounds(5, 1.1), { minEffect: 0.2, final: false }).verdict).toBe('pass');
  });

  it('gives no verdict between looks, and none of fewer than three rounds', () => {
    expect(judgeRegression(rounds(4, 1.5), { final: false }).verdict).toBeUndefined();
    expect(judgeRegression(rounds(6, 1.5), { final: false }).verdict).toBeUndefined();
    expect(judgeRegression(rounds(6, 1.5), { final: true }).verdict).toBe('fail');
    expect(judgeRegression(rounds(3, 1.5), { final: true }).verdict).toBe('fail');
    expect(judgeRegression(rounds(2, 1.5), { final: true })).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringContaining('needs 3 processes, had 2'),
    });
    expect(judgeRegression([], { final: true })).toEqual({
      verdict: 'inconclusive',
      rounds: [],
      why: 'no pairs were timed',
    });
  });

  it('names the noise of the machine where that hides the answer', () => {
    const judgement = judgeRegression(rounds(5, 1.06, 0.08), { final: true });
    expect(judgement.verdict).toBe('inconclusive');
    expect(judgement.noise).toBeGreaterThan(0.03);
    expect(judgement.why).toMatch(/this machine's own noise of .* % hides/);
  });

  it('does not fail by what the baseline differs by from itself', () => {
    const shifted = rounds(8, 1.1).map((round) => ({ ...round, selfMs: round.candidateMs }));
    expect(judgeRegression(shifted, { final: true }).verdict).toBe('inconclusive');
  });

  it('does without a control, and without blocks that took no time', () => {
    const plain = rounds(5, 1.1).map(({ baselineMs, candidateMs }) => ({ baselineMs, candidateMs }));
    expect(judgeRegression(plain, { final: true }).verdict).toBe('fail');
    const zeros = plain.map((round) => ({ ...round, baselineMs: round.baselineMs.map((ms, i) => (i < 3 ? 0 : ms)) }));
    expect(judgeRegression(zeros, { final: true })).toMatchObject({
      verdict: 'fail',
      rounds: [{ pairs: 37 }, {}, {}, {}, {}],
    });
  });

  it('gives the same for the same seed', () => {
    const of = (seed: number) => judgeRegression(rounds(5, 1.04, 0.01), { seed, final: true });
    expect(of(1)).toEqual(of(1));
  });
});

describe('bootstrapMedians', () => {
  it('spreads about the median, more where rounds differ', () => {
    const random = createRandom(1);
    const same = Array.from({ length: 8 }, () => Float64Array.from({ length: 50 }, random.normal));
    const apart = same.map((round, i) => round.map((value) => value + (i % 2 === 0 ? -3 : 3)));
    const width = (values: Float64Array) => (values.at(-50) as number) - (values[50] as number);
    const medians = bootstrapMedians(same, 2000, 1);
    expect(medians).toHaveLength(2000);
    expect(median(medians)).toBeCloseTo(0, 0);
    expect(width(medians)).toBeLessThan(0.6);
    expect(width(bootstrapMedians(apart, 2000, 1))).toBeGreaterThan(2);
  });
});

describe('signed ranks', () => {
  it('have the Hodges-Lehmann estimate of the definition', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 25 }), (values) => {
        const means = values.flatMap((a, i) => values.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b);
        const sorted = Float64Array.from(values).sort();
        expect(hodgesLehmann(sorted)).toBeCloseTo(means[Math.ceil(means.length / 2) - 1] ?? 0, 9);
      }),
    );
    expect(hodgesLehmann(new Float64Array())).toBeNaN();
  });

  it('have exact p-values for few values', () => {
    // All of one sign: 2 / 2^n.
    expect(wilcoxonSignedRank(Float64Array.of(1, 2, 3, 4, 5))).toBeCloseTo(2 / 32, 12);
    expect(wilcoxonSignedRank(Float64Array.of(-1, -2, -3, -4, -5))).toBeCloseTo(2 / 32, 12);
    // W = 3 of n = 6: subsets of sum 0, 1, 2, 3 are 1 + 1 + 1 + 2 of 64.
    expect(wilcoxonSignedRank(Float64Array.of(-1, -2, 3, 4, 5, 6))).toBeCloseTo(10 / 64, 12);
    expect(wilcoxonSignedRank(Float64Array.of(0, 0))).toBe(1);
    expect(wilcoxonSignedRank(Float64Array.of(1, -1, 1, -1))).toBe(1);
  });

  it('have p-values of about the same by the normal approximation', () => {
    const random = createRandom(4);
    const values = Float64Array.from({ length: 30 }, () => random.normal() + 0.4);
    const exact = wilcoxonSignedRank(values);
    // A 31st value next to zero hardly matters, but is too many for the exact one.
    const approximate = wilcoxonSignedRank(Float64Array.of(...values, 1e-9));
    expect(Math.abs(exact - approximate)).toBeLessThan(0.02);
  });
});

describe('judgeAgainstReport', () => {
  const processes = (ms: number, count = 5, sigma = 0.01, seed = 1) =>
    Array.from({ length: count }, (_, i) => ({
      p50Ms: ms * Math.exp(sigma * createRandom(seed, i).normal()),
      runs: 100,
    }));

  it('fails only by more than runs apart in time differ by', () => {
    expect(judgeAgainstReport(processes(5), processes(5.6, 5, 0.01, 2), { final: false }).verdict).toBe('fail');
    const small = judgeAgainstReport(processes(5), processes(5.22, 5, 0.01, 2), { final: true });
    expect(small).toMatchObject({ verdict: 'inconclusive', noise: expect.closeTo(BETWEEN_RUNS_NOISE, 2) });
    expect(small.why).toContain('time both models in one run');
    expect(judgeAgainstReport(processes(5), processes(4.9, 5, 0.01, 2), { final: false }).verdict).toBe('pass');
  });

  it('is held back by processes that differ', () => {
    const judgement = judgeAgainstReport(processes(5, 5, 0.1), processes(5.4, 5, 0.1, 2), { final: true });
    expect(judgement.verdict).toBe('inconclusive');
  });

  it('needs three processes a side; an earlier report will not have more', () => {
    expect(judgeAgainstReport(processes(5, 2), processes(6), { final: false })).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringContaining('needs 3 processes a side, had 2'),
    });
    expect(judgeAgainstReport(processes(5), processes(6, 2), { final: false }).verdict).toBeUndefined();
    expect(judgeAgainstReport([], processes(6), { final: true }).verdict).toBe('inconclusive');
  });

  it('raises few false alarms where sessions are bimodal and runs differ by 2 %', () => {
    let alarms = 0;
    for (let trial = 0; trial < 1000; trial++) {
      const random = createRandom(8, trial);
      const run = (count: number) => {
        const day = Math.exp(0.02 * random.normal());
        return Array.from({ length: count }, () => ({
          p50Ms: day * (random.integer(2) === 0 ? 0.95 : 1.05),
          runs: 100,
        }));
      };
      if (judgeAgainstReport(run(5), run(5), { final: true }).verdict === 'fail') alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(20);
  });
});
