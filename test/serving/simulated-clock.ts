import type { LoadClock } from '../../src/serving/load-clock.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly then: () => void;
  cancelled: boolean;
}

/** Time that passes only when nothing is left to do in it: the same on any machine. */
export class SimulatedClock implements LoadClock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  wait(ms: number, then: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, then, cancelled: false };
    this.#timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** A promise for `value` in so many ms. */
  later<T>(ms: number, value: T): Promise<T> {
    return new Promise((resolve) => this.wait(ms, () => resolve(value)));
  }

  /** Lets time pass until the promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    promise.then(end, end);
    for (;;) {
      // All that follows from the last timer without further waiting.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      if (done) return promise;
      const next = this.#timers
        .filter(({ cancelled }) => !cancelled)
        .reduce<Timer | undefined>(
          (first, timer) =>
            first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order)
              ? timer
              : first,
          undefined,
        );
      if (next === undefined) throw new Error('nothing is left to wait for');
      this.#timers = this.#timers.filter((timer) => timer !== next && !timer.cancelled);
      this.#now = Math.max(this.#now, next.at);
      next.then();
    }
  }
}
