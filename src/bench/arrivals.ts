import type { Random } from '../tensor/random.js';
import type { ArrivalProcess } from './scenario.js';

/**
 * Times at which requests of an open loop come, in ms since its start, one a call and never earlier than the one
 * before. The first comes after one gap.
 */
export function arrivalTimes(ratePerSecond: number, arrivals: ArrivalProcess, random: Random): () => number {
  const gapMs = 1000 / ratePerSecond;
  if (arrivals === 'constant') {
    // By multiplication, so that rounding does not add up.
    let count = 0;
    return () => ++count * gapMs;
  }
  let atMs = 0;
  return () => {
    atMs += -Math.log(1 - random.float()) * gapMs;
    return atMs;
  };
}
