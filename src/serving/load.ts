import type { Segment } from '../bench/segment.js';
import type { TokenTimes } from './client.js';
import type { LoadClock } from './load-clock.js';

/** How one request ended. */
export interface Outcome {
  /** What it is counted under. */
  readonly status: string;
  readonly ok: boolean;
  readonly tokens?: TokenTimes;
  readonly retried?: boolean;
  /** No connection came about: the next try waits a moment. */
  readonly unreachable?: boolean;
}

/** A connection under load. */
export interface Worker {
  /** Sends request number `index`. What it resolves to checks the response, after the clock has stopped. Never rejects. */
  send(index: number, timeoutMs: number): Promise<() => Outcome>;
  /** Ends what is in flight. */
  close(): void;
}

export interface LoadOptions {
  readonly clock: LoadClock;
  readonly openWorker: () => Worker;
  /** Closed loop: connections, each with one request at a time. Open loop: most connections; beyond, requests queue. */
  readonly connections: number;
  /** Times of arrival in ms from the start, each call the next; absent in a closed loop. */
  readonly arrivals?: () => number;
  /** For one response, from sending; in an open loop also the longest wait of a request for a connection. */
  readonly timeoutMs: number;
}

/** What was measured in one window of time. */
export interface LoadPart {
  /**
   * Closed loop: one for each connection, `startMs` from the start of the window. Open loop: a single one in the order of
   * starts, `startMs` from the start of the load (without pauses), of the requests that ended in this window.
   */
  readonly segments: readonly Segment[];
  readonly statuses: ReadonlyMap<string, number>;
  /** Of successful completions. */
  readonly tokens: readonly TokenTimes[];
  /** Requests that were retried, since the server had closed the idle connection. */
  readonly retried: number;
  /** Open loop: the most requests that waited for a free connection. */
  readonly longestQueue: number;
  /** Aborted before its time was over. */
  readonly aborted: boolean;
}

/** After a failed connect, as a client would; else a dead server would get ten thousand connects a second. */
const RECONNECT_PAUSE_MS = 50;

/** Requests that may wait for a connection at a time; further ones fail at once. */
const MAX_QUEUED = 1_000_000;

interface Row {
  readonly start: number;
  readonly latency: number;
  readonly service: number;
}

/**
 * Puts a server under load, window by window.
 *
 * Closed loop: each connection sends its next request when the response to the last has come; a window ends when the
 * requests in flight have ended. Open loop: requests start at their own times whether others have ended or not;
 * one for which no connection is free waits in a queue, on its own clock (so a stall is seen by all that were to start
 * meanwhile: no coordinated omission). A window ends at its time; what is then in flight goes on and is reported in the next
 * window, or by `finish`. Arrivals pause between windows.
 *
 * Failed requests are counted under their status and in `Segment.failures`; their times are among no latencies.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #workers: Worker[] = [];
  readonly #idle: number[] = [];
  /** Times (of the clock) at which queued requests were to start; those before `#head` are gone. */
  #queue: number[] = [];
  #head = 0;
  #rows: Row[][] = [];
  #failures: number[] = [];
  #statuses = new Map<string, number>();
  #tokens: TokenTimes[] = [];
  #retried = 0;
  #longestQueue = 0;
  #sent = 0;
  #sending = 0;
  #pausing = 0;
  #round = 0;
  #aborted = false;
  /** Clock time that stands for 0 of the arrivals; moves on with every pause. */
  #origin = 0;
  /** Time of the load, without pauses, that counts as its start. */
  #zero = 0;
  #startedAt = 0;
  #pausedAt: number | undefined;
  #nextArrival: number | undefined;
  #endAt = 0;
  /** When what is in flight has to be over. */
  #drainEnd = Number.POSITIVE_INFINITY;
  #leftToSend = Number.POSITIVE_INFINITY;
  #running = false;
  #cancelTimer: (() => void) | undefined;
  #resolve: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Loads the server for so long, or until so many requests were sent. One call at a time. */
  async advance(maxMs: number, maxRequests: number = Number.POSITIVE_INFINITY): Promise<LoadPart> {
    const { clock, arrivals, connections } = this.#options;
    if (this.#aborted) return this.#cut(0);
    const now = clock.now();
    this.#startedAt = now;
    this.#drainEnd = Number.POSITIVE_INFINITY;
    this.#origin += this.#pausedAt === undefined ? now : now - this.#pausedAt;
    this.#endAt = now + maxMs;
    this.#leftToSend = maxRequests;
    this.#running = true;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      if (arrivals) this.#arrive();
      else {
        while (this.#workers.length < connections) this.#openWorker();
        for (const stream of this.#idle.splice(0)) this.#next(stream);
        this.#settle();
      }
    });
    this.#running = false;
    this.#pausedAt = clock.now();
    return this.#cut(this.#pausedAt - now);
  }

  /** Waits for what is in flight or queued, for the time of one response at most; nothing new starts. */
  async finish(): Promise<LoadPart> {
    const now = this.#options.clock.now();
    this.#endAt = now;
    this.#drainEnd = now + this.#options.timeoutMs;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      if (this.#aborted || (this.#sending === 0 && this.#queued === 0 && this.#pausing === 0)) this.#done();
    });
    // Nothing arrived in this time: it is no time of the load.
    return this.#cut(0);
  }

  /** After a warm-up: waits for what is in flight, forgets it all, and counts time and rounds from here. */
  async restart(): Promise<void> {
    await this.finish();
    if (this.#pausedAt !== undefined) this.#zero = this.#pausedAt - this.#origin;
    this.#round = 0;
  }

  /** Ends the window at once. Requests in flight are dropped: they count neither as responses nor as failures. */
  abort(): void {
    this.#aborted = true;
    this.close();
    this.#done();
  }

  close(): void {
    this.#cancelTimer?.();
    for (const worker of this.#workers) worker.close();
  }

  get #queued(): number {
    return this.#queue.length - this.#head;
  }

  #openWorker(): void {
    this.#idle.push(this.#workers.length);
    this.#workers.push(this.#options.openWorker());
  }

  #done(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }

  /** Open loop: takes in what is due, then waits for the next arrival or the end. */
  #arrive(): void {
    const { clock, arrivals } = this.#options;
    if (arrivals === undefined || !this.#running || this.#aborted) return;
    const now = clock.now();
    while (this.#leftToSend > 0) {
      this.#nextArrival ??= arrivals();
      const at = this.#origin + this.#nextArrival;
      if (at > now || at >= this.#endAt) break;
      if (this.#queued < MAX_QUEUED) this.#queue.push(at);
      else this.#count(0, { status: 'too many requests waited', ok: false });
      this.#nextArrival = undefined;
      this.#leftToSend--;
    }
    this.#dispatch();
    this.#longestQueue = Math.max(this.#longestQueue, this.#queued);
    if (now >= this.#endAt || this.#leftToSend === 0) {
      this.#running = false;
      this.#done();
      return;
    }
    const next = Math.min(this.#endAt, this.#origin + (this.#nextArrival ?? 0));
    this.#cancelTimer = clock.wait(next - now, () => this.#arrive());
  }

  /** Open loop: queued requests on free connections. */
  #dispatch(): void {
    const { clock, connections, timeoutMs } = this.#options;
    while (this.#queued > 0 && !this.#aborted) {
      const due = this.#queue[this.#head] as number;
      const now = clock.now();
      if (now - due >= timeoutMs || now >= this.#drainEnd)
        this.#count(0, { status: 'timeout before a connection was free', ok: false });
      else {
        if (this.#idle.length === 0 && this.#workers.length < connections) this.#openWorker();
        const stream = this.#idle.pop();
        if (stream === undefined) return;
        void this.#send(stream, due);
      }
      this.#head++;
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
    }
  }

  /** Closed loop: the next request of a connection, unless the window is over. */
  #next(stream: number): void {
    const now = this.#options.clock.now();
    if (this.#aborted || now >= this.#endAt || this.#leftToSend <= 0) this.#idle.push(stream);
    else {
      this.#leftToSend--;
      void this.#send(stream, now);
    }
  }

  async #send(stream: number, due: number): Promise<void> {
    const { clock, arrivals, timeoutMs } = this.#options;
    this.#sending++;
    const sentAt = clock.now();
    const limitMs = Math.max(1, Math.min(timeoutMs, this.#drainEnd - sentAt));
    const look = await (this.#workers[stream] as Worker).send(this.#sent++, limitMs);
    const ended = clock.now();
    this.#sending--;
    if (this.#aborted) return;
    const outcome = look();
    const base = arrivals ? this.#origin + this.#zero : this.#startedAt;
    if (outcome.ok) {
      const index = arrivals ? 0 : stream;
      this.#rows[index] ??= [];
      this.#rows[index]?.push({ start: due - base, latency: ended - due, service: ended - sentAt });
    }
    this.#count(arrivals ? 0 : stream, outcome);
    if (outcome.unreachable) {
      this.#pausing++;
      clock.wait(RECONNECT_PAUSE_MS, () => {
        this.#pausing--;
        this.#free(stream);
      });
    } else this.#free(stream);
  }

  #free(stream: number): void {
    if (this.#options.arrivals) {
      this.#idle.push(stream);
      this.#dispatch();
      const finishing = !this.#running && this.#resolve !== undefined;
      if (finishing && this.#sending === 0 && this.#queued === 0 && this.#pausing === 0) this.#done();
    } else {
      this.#next(stream);
      this.#settle();
    }
  }

  /** Closed loop: the window is over when nothing is in flight any more. */
  #settle(): void {
    if (this.#sending === 0 && this.#pausing === 0 && this.#idle.length === this.#workers.length) this.#done();
  }

  #count(stream: number, outcome: Outcome): void {
    if (!outcome.ok) this.#failures[stream] = (this.#failures[stream] ?? 0) + 1;
    this.#statuses.set(outcome.status, (this.#statuses.get(outcome.status) ?? 0) + 1);
    if (outcome.ok && outcome.tokens) this.#tokens.push(outcome.tokens);
    if (outcome.retried) this.#retried++;
  }

  #cut(wallMs: number): LoadPart {
    const open = this.#options.arrivals !== undefined;
    const streams = open ? 1 : this.#workers.length;
    const segments = Array.from({ length: streams }, (_, stream): Segment => {
      const rows = this.#rows[stream] ?? [];
      if (open) rows.sort((a, b) => a.start - b.start);
      return {
        startMs: Float64Array.from(rows, (row) => row.start),
        latencyMs: Float64Array.from(rows, (row) => row.latency),
        ...(open ? { serviceMs: Float64Array.from(rows, (row) => row.service) } : {}),
        wallMs,
        round: this.#round,
        stream,
        failures: this.#failures[stream] ?? 0,
      };
    });
    const part: LoadPart = {
      segments,
      statuses: this.#statuses,
      tokens: this.#tokens,
      retried: this.#retried,
      longestQueue: this.#longestQueue,
      aborted: this.#aborted,
    };
    this.#round++;
    this.#rows = [];
    this.#failures = [];
    this.#statuses = new Map();
    this.#tokens = [];
    this.#retried = 0;
    this.#longestQueue = 0;
    return part;
  }
}
