import { describe, expect, it } from 'vitest';
import { PercentileBudgetTest } from '../../src/bench/budget-test.js';
import type { Segment } from '../../src/bench/segment.js';
import { createRandom } from '../../src/tensor/random.js';
import { SOURCES, type Source, segmentOf, trueQuantile } from './sources.js';

const SIMULATIONS = 1000;
const ROUNDS = 30;
const RUNS_OF_A_ROUND = 200;

interface Outcome {
  pass: number;
  fail: number;
  inconclusive: number;
  meanRuns: number;
}

function simulate(source: Source, limitMs: number, probability: number, seed: number): Outcome {
  const outcome = { pass: 0, fail: 0, inconclusive: 0, meanRuns: 0 };
  for (let simulation = 0; simulation < SIMULATIONS; simulation++) {
    const random = createRandom(seed, simulation);
    const test = new PercentileBudgetTest({ probability, limitMs });
    const segments: Segment[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const latencyMs = new Float64Array(RUNS_OF_A_ROUND);
      source(random, latencyMs);
      segments.push(segmentOf(latencyMs, round));
      const { verdict, runs } = test.judge(segments, round === ROUNDS - 1);
      if (verdict === undefined) continue;
      outcome[verdict]++;
      outcome.meanRuns += runs / SIMULATIONS;
      break;
    }
  }
  return outcome;
}

describe('a p99 that is 5 % off its budget', () => {
  it.each(Object.entries(SOURCES))('of %s is judged wrongly in at most 5 % of 1,000 runs a side', (_name, source) => {
    const p99 = trueQuantile(source, 0.99);
    const under = simulate(source, p99 / 0.95, 0.99, 1);
    const over = simulate(source, p99 / 1.05, 0.99, 2);
    console.log(_name, under, over);
    expect(under.fail, JSON.stringify(under)).toBeLessThanOrEqual(0.05 * SIMULATIONS);
    expect(over.pass, JSON.stringify(over)).toBeLessThanOrEqual(0.05 * SIMULATIONS);
  });
});
