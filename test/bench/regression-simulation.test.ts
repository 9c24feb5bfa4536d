import { describe, expect, it } from 'vitest';
import type { PairedRound } from '../../src/bench/paired-rounds.js';
import { judgeRegression, REGRESSION_LOOKS } from '../../src/bench/regression.js';
import { createRandom, type Random } from '../../src/tensor/random.js';

const SIMULATIONS = 200;
/** What 3 s of a round leave time for, after three sessions were created. */
const PAIRS = 30;

/**
 * Block medians of a fresh process on a shared machine: each session is placed well or badly in memory (±5 %), the machine
 * drifts and is busy in bursts while blocks take turns, and a neighbour slows single blocks down.
 */
function sharedMachine(random: Random, slowDown: number): PairedRound {
  const session = (): number => (random.uint32() < 2 ** 31 ? 0.95 : 1.05);
  const factors = [session(), session() * slowDown, session()];
  const arrays = factors.map(() => new Float64Array(PAIRS));
  let drift = 0.05 * random.normal();
  let busy = random.integer(10) === 0;
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = pair % 2 === 0 ? [0, 1, 2] : [2, 1, 0];
    for (const which of order) {
      drift += 0.005 * random.normal();
      if (random.integer(busy ? 15 : 135) === 0) busy = !busy;
      const neighbour = random.integer(12) === 0 ? 1 + 0.5 * random.float() : 1;
      const ms = Math.exp(drift + 0.02 * random.normal()) * (busy ? 1.3 : 1) * neighbour;
      (arrays[which] as Float64Array)[pair] = ms * (factors[which] as number);
    }
  }
  const [baselineMs, candidateMs, selfMs] = arrays as [Float64Array, Float64Array, Float64Array];
  return { baselineMs, candidateMs, selfMs };
}

function simulate(slowDown: number, most: number, seed: number) {
  const outcome = { pass: 0, fail: 0, inconclusive: 0, meanRounds: 0 };
  for (let simulation = 0; simulation < SIMULATIONS; simulation++) {
    const random = createRandom(seed, simulation);
    const rounds: PairedRound[] = [];
    for (let round = 1; round <= most; round++) {
      rounds.push(sharedMachine(random, slowDown));
      // Between planned looks there is never a verdict. Fewer resamples than by default, as ends are Student's anyway.
      if (round < most && !REGRESSION_LOOKS.some((look) => look === round)) continue;
      const { verdict } = judgeRegression(rounds, { seed: simulation, resamples: 400, final: round === most });
      if (verdict === undefined) continue;
      outcome[verdict]++;
      outcome.meanRounds += round / SIMULATIONS;
      break;
    }
  }
  return outcome;
}

describe('judgeRegression on a shared machine, in 200 simulated runs', () => {
  it.each([
    ['of 20 rounds', 20],
    ['of 60 rounds', 60],
  ])('raises false alarms in at most one of a hundred runs %s where nothing changed', (_name, rounds) => {
    const outcome = simulate(1, rounds, 1);
    expect(outcome.fail, JSON.stringify(outcome)).toBeLessThanOrEqual(0.01 * SIMULATIONS);
    expect(outcome.pass, JSON.stringify(outcome)).toBeGreaterThan(rounds === 60 ? 0.5 * SIMULATIONS : 0);
  });

  it.each([
    { effect: '10 %', time: '60 s', slowDown: 1.1, rounds: 20, least: 0.95 },
    { effect: '5 %', time: '180 s', slowDown: 1.05, rounds: 60, least: 0.8 },
  ])('finds a slow-down of $effect in what fits $time', ({ slowDown, rounds, least }) => {
    const outcome = simulate(slowDown, rounds, 1);
    expect(outcome.fail, JSON.stringify(outcome)).toBeGreaterThanOrEqual(least * SIMULATIONS);
    expect(outcome.pass, JSON.stringify(outcome)).toBeLessThanOrEqual(0.01 * SIMULATIONS);
  });

  it('lets small effects be, and faster candidates pass', () => {
    const small = simulate(1.01, 27, 1);
    expect(small.fail, JSON.stringify(small)).toBeLessThanOrEqual(0.025 * SIMULATIONS);
    const faster = simulate(0.9, 27, 1);
    expect(faster.pass, JSON.stringify(faster)).toBeGreaterThanOrEqual(0.95 * SIMULATIONS);
    expect(faster.fail).toBe(0);
  });
});
