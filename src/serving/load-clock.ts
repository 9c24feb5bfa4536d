/** The clock of the load generator; tests use a simulated one. */
export interface LoadClock {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Calls `then` after `ms` milliseconds; the result cancels it. */
  wait(ms: number, then: () => void): () => void;
}

/** Timers of Node fire up to a millisecond late, and more under load: the last part of a wait spins on the event loop. */
const SPIN_MS = 1.5;

/** The real clock. A wait ends within one turn of the event loop of its time. */
export const realClock: LoadClock = {
  now: () => performance.now(),
  wait(ms, then) {
    const due = performance.now() + ms;
    let cancelled = false;
    let timer: NodeJS.Timeout | undefined;
    const turn = (): void => {
      if (cancelled) return;
      if (performance.now() >= due) then();
      else setImmediate(turn);
    };
    if (ms > SPIN_MS) timer = setTimeout(turn, ms - SPIN_MS);
    else setImmediate(turn);
    return () => {
      cancelled = true;
      clearTimeout(timer);
    };
  },
};
