import { setTimeout as sleep } from 'node:timers/promises';

/** Time as a measurement sees it; tests give a synthetic one. */
export interface Clock {
  /** In ms, never going back. */
  now(): number;
  /** Returns not before `ms` of `now()`, and hardly later. */
  waitUntil(ms: number): Promise<void> | void;
  /** Lets at least `ms` go by, the CPU free for others. */
  rest(ms: number): Promise<void> | void;
}

/** Timers wake up to some milliseconds late, so the last stretch is spent looking at the clock. */
const SPIN_MS = 1.5;

/** The machine's monotonic clock. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  async waitUntil(ms) {
    for (;;) {
      const gapMs = ms - performance.now();
      if (gapMs <= SPIN_MS + 1) break;
      await sleep(gapMs - SPIN_MS);
    }
    while (performance.now() < ms) {
      // Nothing to do but to be there in time.
    }
  },
  rest: (ms) => sleep(ms),
};
