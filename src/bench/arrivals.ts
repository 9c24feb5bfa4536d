import type { Random } from '../tensor/random.js';
import type { ArrivalProcess } from './scenario.js';

/**
 * The times at which requests are to start, in ms from the start, one a call, in ascending order. Poisson: gaps are
 * independent and exponential, so requests come in clumps as those of many users do. Constant: equal gaps from 0 on; times
 * are multiples of the gap, so that no rounding adds up.
 */
export function arrivalTimes(ratePerSecond: number, arrivals: ArrivalProcess, random: Random): () => number {
  const gapMs = 1000 / ratePerSecond;
  if (arrivals === 'constant') {
    let index = 0;
    return () => index++ * gapMs;
  }
  let at = 0;
  return () => {
    at -= Math.log(1 - random.float()) * gapMs;
    return at;
  };
}
