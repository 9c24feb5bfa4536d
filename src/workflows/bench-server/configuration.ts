import { arrivalTimes } from '../../bench/arrivals.js';
import { concatenate } from '../../bench/concatenate.js';
import { median, quantileOfSorted } from '../../bench/quantiles.js';
import type { Scenario } from '../../bench/scenario.js';
import type { Segment } from '../../bench/segment.js';
import { pooled, summarizeLatency, thinAll } from '../../bench/summarize.js';
import { summarizeThroughput } from '../../bench/throughput.js';
import { ServeOptError } from '../../errors.js';
import type { Measured } from '../../gates/budget-gates.js';
import type { ConfigurationReport } from '../../report/bench-types.js';
import { checkResponse } from '../../serving/check-response.js';
import { isFailure, type ServerClient, type ServerModel, type TokenTimes } from '../../serving/client.js';
import { Load, type LoadPart } from '../../serving/load.js';
import type { LoadClock } from '../../serving/load-clock.js';
import { outOfTime } from '../../serving/pace.js';
import { refused } from '../../serving/refusal.js';
import { failedExchange } from '../../serving/server-error.js';
import { serverWorker } from '../../serving/server-worker.js';
import { createRandom } from '../../tensor/random.js';
import { OpenLoopSegments } from './open-loop-segments.js';
import type { Requests } from './requests.js';
import { tokenReport } from './token-report.js';

export interface ConfigurationOptions {
  readonly label: string;
  readonly scenario: Scenario;
  /** Connections of a closed loop; most connections of an open one. */
  readonly connections: number;
  readonly timeoutMs: number;
  readonly seed: number;
  readonly clock: LoadClock;
}

/** Different requests whose responses are checked before anything is timed. */
const TRIED_REQUESTS = 3;
/** A window of warm-up; two whose medians agree within the tolerance end it. */
const WARM_UP_WINDOW_MS = 250;
const WARM_UP_TOLERANCE = 0.05;

/** Lateness of a tenth of the requests, with connections free, that is reported as a warning. */
const LATE_MS = 1;

/** One load on one server, measured in windows, which are the rounds of its segments. */
export class ServerConfiguration implements Measured {
  readonly label: string;
  readonly scenario: Scenario;
  /** Samples of a request. */
  readonly rows: number;
  /** A server runs already. */
  readonly coldStartsMs = [];
  readonly #client: ServerClient;
  readonly #model: ServerModel;
  readonly #requests: Requests;
  readonly #options: ConfigurationOptions;
  readonly #load: Load;
  readonly #closed: Segment[] = [];
  readonly #open = new OpenLoopSegments();
  readonly #statuses = new Map<string, number>();
  /** By window. */
  readonly #tokens: (readonly TokenTimes[])[] = [];
  #tokenCount = 0;
  #completions = 0;
  #retried = 0;
  #longestQueue = 0;
  #busyShare = 0;
  #warmUp: ConfigurationReport['warmUp'];
  #error: ServeOptError | undefined;
  #aborted = false;

  constructor(client: ServerClient, model: ServerModel, requests: Requests, options: ConfigurationOptions) {
    const { scenario, clock, connections, timeoutMs, seed } = options;
    this.label = options.label;
    this.scenario = scenario;
    this.rows = requests.batchSize;
    this.#client = client;
    this.#model = model;
    this.#requests = requests;
    this.#options = options;
    const arrivals =
      scenario.kind === 'server'
        ? arrivalTimes(scenario.ratePerSecond, scenario.arrivals, createRandom(seed, 0x10ad))
        : undefined;
    this.#load = new Load({
      clock,
      connections,
      timeoutMs,
      openWorker: () => serverWorker(client, model, requests.prepared),
      ...(arrivals ? { arrivals } : {}),
    });
  }

  /** Why nothing can be measured; set by `warmUp`. */
  get error(): ServeOptError | undefined {
    return this.#error;
  }

  /** Requests that ended, well or not. */
  get requests(): number {
    let sum = 0;
    for (const count of this.#statuses.values()) sum += count;
    return sum;
  }

  /**
   * Tries the requests one by one and checks every response, then loads the server until two windows agree on the
   * median, or `maxMs` is over. @throws SO5101, SO5102, SO5103 when a first request fails
   */
  async warmUp(maxMs: number): Promise<void> {
    const { clock } = this.#options;
    const started = clock.now();
    let runs = 0;
    try {
      runs = await this.#tryRequests();
    } catch (error) {
      if (error instanceof ServeOptError && error.code !== 'SO8130') this.#error = error;
      throw error;
    }
    let before = Number.NaN;
    let settled = false;
    while (!settled && !this.#aborted && clock.now() - started < maxMs) {
      const part = await this.#load.advance(Math.min(WARM_UP_WINDOW_MS, Math.max(1, maxMs)));
      const times = pooled(part.segments);
      runs += times.length;
      const now = median(times);
      settled = times.length >= 3 && Math.abs(now - before) <= WARM_UP_TOLERANCE * Math.max(now, before);
      before = now;
    }
    await this.#load.restart();
    this.#warmUp = { runs, ms: clock.now() - started, settled };
  }

  /** How many were tried: they are the first of the warm-up. */
  async #tryRequests(): Promise<number> {
    const connection = this.#client.connect();
    const tried = this.#requests.prepared.slice(0, TRIED_REQUESTS);
    try {
      for (const request of tried) {
        const response = await connection.send(request);
        if (isFailure(response)) throw failedExchange(this.#client.address, response);
        if (!response.ok) throw refused(this.#client.address, response, this.#client.errorText(response));
        checkResponse(this.#client, this.#model, response, request);
      }
      return tried.length;
    } finally {
      connection.close();
    }
  }

  /** Measures for so long, or so many requests; gives what ended in this time (see `LoadPart.segments`). */
  async advance(ms: number, maxRequests?: number): Promise<readonly Segment[]> {
    const before = performance.eventLoopUtilization();
    const part = await this.#load.advance(ms, maxRequests);
    this.#busyShare = Math.max(this.#busyShare, performance.eventLoopUtilization(before).utilization);
    return this.#take(part);
  }

  /** Waits for requests in flight (open loop) and gives them. Call it once, after the last `advance`. */
  async finish(): Promise<readonly Segment[]> {
    const segments = this.scenario.kind === 'server' && !this.#aborted ? this.#take(await this.#load.finish()) : [];
    this.#load.close();
    return segments;
  }

  #take(part: LoadPart): readonly Segment[] {
    if (this.scenario.kind === 'server') for (const segment of part.segments) this.#open.add(segment);
    else this.#closed.push(...part.segments);
    for (const [status, count] of part.statuses) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + count);
    if (part.tokens.length > 0) this.#tokens.push(part.tokens);
    for (const { count } of part.tokens) this.#tokenCount += count;
    this.#completions += part.tokens.length;
    this.#retried += part.retried;
    this.#longestQueue = Math.max(this.#longestQueue, part.longestQueue);
    return part.segments;
  }

  /** Everything measured so far; a request of an open loop belongs to the window in which it was to start. */
  get segments(): readonly Segment[] {
    return this.scenario.kind === 'server' ? this.#open.segments() : this.#closed;
  }

  /** Times to the first token, one segment per window; empty without completions. */
  get firstTokens(): readonly Segment[] {
    return this.#tokens.map((responses, round) => {
      const latencyMs = Float64Array.from(responses, ({ firstMs }) => firstMs);
      return {
        startMs: new Float64Array(latencyMs.length),
        latencyMs,
        wallMs: 0,
        round,
        stream: 0,
        failures: round === 0 ? this.segments.reduce((sum, { failures }) => sum + failures, 0) : 0,
      };
    });
  }

  /** Mean of completions; 0 without. */
  get tokensPerRequest(): number {
    return this.#completions === 0 ? 0 : this.#tokenCount / this.#completions;
  }

  /** Ends at once; what was measured stays. */
  abort(): void {
    this.#aborted = true;
    this.#load.abort();
  }

  /** Warnings about this measurement, one sentence each. */
  warnings(): string[] {
    const found: string[] = [];
    if (this.#retried > 0) {
      found.push(`${this.label}: ${this.#retried} requests were retried, since the server had closed idle connections`);
    }
    // In an open loop the last bit of each wait is spent looking at the clock; there lateness shows it.
    if (this.scenario.kind !== 'server' && this.#busyShare > 0.9) {
      const share = Math.round(this.#busyShare * 100);
      found.push(
        `${this.label}: sending took ${share} % of one core on this machine: the server may be faster than these figures`,
      );
    }
    const lateMs = this.#longestQueue === 0 ? lateness(this.segments) : 0;
    if (lateMs > LATE_MS) {
      found.push(
        `${this.label}: 10 % of the requests were sent ${lateMs.toFixed(1)} ms late or more: this machine is busy`,
      );
    }
    if (this.#longestQueue > 0) {
      const { connections } = this.#options;
      found.push(`${this.label}: up to ${this.#longestQueue} requests waited for one of ${connections} connections`);
    }
    return found;
  }

  /** The report of what was measured so far, as one of so many configurations. */
  report(configurations = 1): ConfigurationReport {
    const { segments, tokensPerRequest } = this;
    const runs = segments.reduce((sum, segment) => sum + segment.latencyMs.length, 0);
    const failures = segments.reduce((sum, segment) => sum + segment.failures, 0);
    const error = this.#error ?? (runs > 0 ? undefined : this.#nothingMeasured(failures));
    const tokens = tokenReport(this.#tokens.flat());
    return {
      label: this.label,
      executionProviders: [],
      batchSize: this.rows,
      dims: this.#requests.dims,
      inputs: this.#requests.inputs,
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
      ...(this.#warmUp ? { warmUp: this.#warmUp } : {}),
      ...(runs > 0
        ? {
            latency: summarizeLatency(segments),
            throughput: summarizeThroughput(segments, tokens ? tokensPerRequest : this.rows, this.scenario),
          }
        : {}),
      ...(tokens ? { tokens } : {}),
      responses: [...this.#statuses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([status, count]) => ({ status, count })),
      ...(runs > 0 ? { segments: thinAll(segments, configurations) } : {}),
    };
  }

  #nothingMeasured(failures: number): ServeOptError | undefined {
    if (failures > 0) return this.#allFailed(failures);
    // After a signal there may be nothing, and that is not an error.
    return this.#aborted ? undefined : outOfTime('no request completed by then');
  }

  #allFailed(failures: number): ServeOptError {
    const statuses = [...this.#statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
    return new ServeOptError('SO5102', `None of ${failures} requests succeeded (${statuses})`);
  }
}

/** By how much requests of an open loop were sent too late: the ninth decile, in ms. */
function lateness(segments: readonly Segment[]): number {
  const late = concatenate(
    segments.flatMap(({ latencyMs, serviceMs }) =>
      serviceMs ? [latencyMs.map((ms, index) => ms - (serviceMs[index] as number))] : [],
    ),
  );
  return late.length === 0 ? 0 : quantileOfSorted(late.sort(), 0.9);
}
