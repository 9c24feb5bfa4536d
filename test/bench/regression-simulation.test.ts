import { describe, expect, it } from 'vitest';
import { judgeRegression, type PairedRound } from '../../src/bench/regression.js';
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
      const { verdict } = judgeRegression(rounds, { seed: simulation, final: round === most });
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
    ['A/A', 1, 20],
    ['A/A', 1, 60],
    ['10 %', 1.1, 20],
    ['5 %', 1.05, 60],
    ['1 %', 1.01, 60],
    ['10 % faster', 0.9, 60],
  ])('%s %d', (name, slow, most) => {
    const outcome = simulate(slow, most, 1);
    console.log(name, slow, most, outcome);
    expect(outcome.fail).toBe(0);
  });
});
