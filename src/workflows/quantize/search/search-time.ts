import type { RepairEffort } from '../../repair-effort.js';

/** Most time for the search for layers that stay in FP32, in ms: ranking and trials of all forms together. */
export const SEARCH_MS: Readonly<Record<RepairEffort, number>> = { low: 60_000, medium: 300_000, high: 1_800_000 };

/** Trials within a time limit. */
export class TimedTrials {
  readonly #time: SearchTime;
  readonly #now: () => number;
  #count = 0;
  #totalMs = 0;

  constructor(time: SearchTime, now: () => number) {
    this.#time = time;
    this.#now = now;
  }

  async run<T>(trial: () => Promise<T>): Promise<T> {
    const begun = this.#now();
    const result = await trial();
    this.#count++;
    this.#totalMs += this.#now() - begun;
    return result;
  }

  /** How many more there is time for, as long as those before on average; infinite before the first. */
  get affordable(): number {
    return this.#totalMs === 0
      ? Number.POSITIVE_INFINITY
      : Math.floor(this.#time.leftMs / (this.#totalMs / this.#count));
  }
}

/** What is left of a time limit, for work in trials that take about as long as each other. */
export class SearchTime {
  readonly limitMs: number;
  readonly #now: () => number;
  readonly #end: number;

  /** Begins now. @param now the time in ms */
  constructor(limitMs: number, now: () => number = () => performance.now()) {
    this.limitMs = limitMs;
    this.#now = now;
    this.#end = now() + limitMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#end - this.#now());
  }

  /** A part of what is left, as a limit of its own. */
  part(share: number): SearchTime {
    return new SearchTime(share * this.leftMs, this.#now);
  }

  /** Trials that are counted and timed, to tell how many more there is time for. */
  trials(): TimedTrials {
    return new TimedTrials(this, this.#now);
  }
}
