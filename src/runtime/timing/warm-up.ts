import { median } from '../../bench/quantiles.js';
import type { Clock } from './clock.js';

/** When a session counts as warm. */
export const WARM_UP = {
  /** Runs of a window, at least. */
  window: 5,
  /** Medians of two windows that follow each other differ by at most this share. */
  tolerance: 0.02,
  leastRuns: 3,
} as const;

export interface WarmUp {
  readonly runs: number;
  readonly ms: number;
  /** False when time was up first. */
  readonly settled: boolean;
  readonly firstRunMs: number;
  /** Median of the last window. */
  readonly medianMs: number;
}

/**
 * Runs until the median of the last window agrees with the one before; at least three runs, else at most `limitMs`.
 * @param time times run number `index`, in ms
 * @param window runs of a window: where samples differ in size it must hold each of them
 */
export async function warmUp(
  time: (index: number) => Promise<number>,
  limitMs: number,
  clock: Clock,
  window: number = WARM_UP.window,
): Promise<WarmUp> {
  const times: number[] = [];
  const start = clock.now();
  let settled = false;
  while (!settled && (times.length < WARM_UP.leastRuns || clock.now() - start < limitMs)) {
    times.push(await time(times.length));
    if (times.length < 2 * window) continue;
    const last = median(times.slice(-window));
    const before = median(times.slice(-2 * window, -window));
    settled = Math.abs(last - before) <= WARM_UP.tolerance * before;
  }
  return {
    runs: times.length,
    ms: clock.now() - start,
    settled,
    firstRunMs: times[0] ?? 0,
    medianMs: median(times.slice(-window)),
  };
}
