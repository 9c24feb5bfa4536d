import { type Clock, SYSTEM_CLOCK } from './clock.js';
import { NumberSeries } from './number-series.js';
import { type WarmUp, warmUp } from './warm-up.js';

/** One run of the model, its inputs ready. */
export type Run = () => Promise<unknown>;

export interface LoopOptions {
  /** Times at which requests come, in ms since the start, in order: an open loop. */
  readonly arrivals?: () => number;
  /** Runs of a warm-up window, see `warmUp`. */
  readonly window?: number;
  readonly clock?: Clock;
}

/** A part of a measurement; see `MeasureAdvanceResult`. */
export interface LoopPart {
  readonly startMs: Float64Array;
  readonly latencyMs: Float64Array;
  /** Open loop only. */
  readonly serviceMs?: Float64Array;
  /** Open loop only: how late the next request is already, 0 when it is not due. */
  readonly behindMs?: number;
  readonly wallMs: number;
}

/**
 * Runs one after the other, measured in parts. In a closed loop the next starts when the one before has ended. In an
 * open loop each has its time, and latency counts from then: a request that waits because an earlier one was slow is as
 * slow as its caller finds it (coordinated omission). Time between two parts does not exist for either.
 */
export class MeasureLoop {
  readonly #runs: readonly Run[];
  readonly #arrivals: (() => number) | undefined;
  readonly #clock: Clock;
  readonly #window: number | undefined;
  readonly #startMs = new NumberSeries();
  readonly #latencyMs = new NumberSeries();
  readonly #serviceMs = new NumberSeries();
  /** An arrival that was drawn and not yet sent. */
  #dueMs: number | undefined;
  /** Length of the parts so far. */
  #elapsedMs = 0;
  #next = 0;
  /** What ended a part early; the next part tells. */
  #failure: { readonly error: unknown } | undefined;

  /** @param runs taken in turn; at least one */
  constructor(runs: readonly Run[], options: LoopOptions = {}) {
    this.#runs = runs;
    this.#arrivals = options.arrivals;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#window = options.window;
  }

  /** Times one run. */
  async time(): Promise<number> {
    const run = this.#take();
    const start = this.#clock.now();
    await run();
    return this.#clock.now() - start;
  }

  /** See `warmUp`. Runs of it are not measured, and its time does not count. */
  warmUp(limitMs: number): Promise<WarmUp> {
    return warmUp(() => this.time(), limitMs, this.#clock, this.#window);
  }

  /**
   * Measures until `maxMs` have passed or `maxRuns` are done, at least one run. A run that fails ends the part; what was
   * measured before it is given, and the next call throws its error.
   */
  async advance(maxMs: number, maxRuns: number = Number.POSITIVE_INFINITY): Promise<LoopPart> {
    if (this.#failure) throw this.#failure.error;
    const begin = this.#clock.now();
    const origin = begin - this.#elapsedMs;
    try {
      if (this.#arrivals) await this.#openLoop(this.#arrivals, origin, this.#elapsedMs + maxMs, maxRuns);
      else await this.#closedLoop(origin, begin + maxMs, maxRuns);
    } catch (error) {
      if (this.#latencyMs.length === 0) throw error;
      this.#failure = { error };
    }
    const wallMs = this.#clock.now() - begin;
    this.#elapsedMs += wallMs;
    const part = { startMs: this.#startMs.take(), latencyMs: this.#latencyMs.take(), wallMs };
    if (!this.#arrivals) return part;
    this.#dueMs ??= this.#arrivals();
    return { ...part, serviceMs: this.#serviceMs.take(), behindMs: Math.max(0, this.#elapsedMs - this.#dueMs) };
  }

  async #closedLoop(origin: number, end: number, maxRuns: number): Promise<void> {
    const clock = this.#clock;
    let start = clock.now();
    for (let done = 0; done < maxRuns; done++) {
      await this.#take()();
      const now = clock.now();
      this.#startMs.add(start - origin);
      this.#latencyMs.add(now - start);
      if (now >= end) return;
      start = clock.now();
    }
  }

  /** @param endMs in time of the loop */
  async #openLoop(arrivals: () => number, origin: number, endMs: number, maxRuns: number): Promise<void> {
    const clock = this.#clock;
    for (let done = 0; done < maxRuns; done++) {
      this.#dueMs ??= arrivals();
      const scheduledMs = this.#dueMs;
      if (done > 0) {
        // Nothing more comes in this part, whose time is waited for nevertheless: a rate is told by it.
        if (scheduledMs >= endMs) return clock.waitUntil(origin + endMs);
        if (clock.now() - origin >= endMs) return;
      }
      if (scheduledMs > clock.now() - origin) await clock.waitUntil(origin + scheduledMs);
      this.#dueMs = undefined;
      const sent = clock.now();
      await this.#take()();
      const now = clock.now();
      this.#startMs.add(scheduledMs);
      this.#latencyMs.add(now - origin - scheduledMs);
      this.#serviceMs.add(now - sent);
    }
  }

  #take(): Run {
    const run = this.#runs[this.#next] as Run;
    this.#next = this.#next + 1 === this.#runs.length ? 0 : this.#next + 1;
    return run;
  }
}
