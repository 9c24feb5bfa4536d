import { LEAST_EFFECT } from '../../bench/least-effect.js';
import type { LatencyComparison } from '../../bench/results.js';
import { ServeOptError } from '../../errors.js';
import type { SampleSource } from '../../samples/types.js';
import type { ExecutionOptions } from '../options.js';
import { Failure, type LoadedSession } from './failure.js';
import { measureLatency } from './measure-latency.js';
import type { OriginalRuns } from './original-runs.js';
import type { OriginalSessions } from './original-sessions.js';

/** A first look, which most results pass. */
const FIRST_LOOK = { minRuns: 60, maxMs: 1500 } as const;
/** A closer one, before anything is held against a result. */
const CLOSER_LOOK = { minRuns: 200, maxMs: 5000 } as const;
/**
 * Processes in which it then has to be slower again. What one pair of sessions measures is exact about these two only:
 * where their memory came to lie decides up to a tenth of the time of a small model, anew with each load.
 */
const CONFIRMATIONS = 2;
/** Slower by less than `LEAST_EFFECT` is no difference. Nor is this, whatever the ratio: a clock of a busy machine is not finer. */
const WORTH_MS = 0.01;

/** True when B takes longer than A beyond doubt, and by so much that it matters. @param worthMs less is no difference, whatever the ratio */
export function isClearlySlower(
  { ratio, ratioLow, p50MsA, p50MsB }: LatencyComparison,
  worthMs: number = WORTH_MS,
): boolean {
  return ratioLow !== undefined && ratioLow > 1 && ratio >= 1 + LEAST_EFFECT && p50MsB - p50MsA > worthMs;
}

/** A model that is loaded when it is timed, and again after its process has ended. */
export interface Contestant {
  session(): Promise<LoadedSession | Failure>;
}

/** A contestant beside the original. */
export class LoadedContestant implements Contestant {
  readonly #sessions: OriginalSessions;
  readonly #load: () => Promise<LoadedSession | Failure>;
  #session: LoadedSession | undefined;

  /** @param session where it is loaded already */
  constructor(
    sessions: OriginalSessions,
    load: () => Promise<LoadedSession | Failure>,
    session: LoadedSession | undefined,
  ) {
    this.#sessions = sessions;
    this.#load = load;
    this.#session = session;
  }

  async session(): Promise<LoadedSession | Failure> {
    if (this.#session && this.#sessions.isLive(this.#session)) return this.#session;
    const session = await this.#load();
    this.#session = session instanceof Failure ? undefined : session;
    return session;
  }

  async release(): Promise<void> {
    if (this.#session) await this.#sessions.release(this.#session);
    this.#session = undefined;
  }
}

/** What a contest of two came to. */
export interface Contest {
  readonly latency: LatencyComparison;
  /** B was clearly slower each time. */
  readonly slower: boolean;
}

/** Times two models in turns, closer and in other processes before one is called slower. */
export class TimedContests {
  readonly #original: OriginalRuns;
  readonly #options: ExecutionOptions;
  readonly #measure: typeof measureLatency;
  readonly #worthMs: number;

  /**
   * @param measure the clock; another one in tests
   * @param worthMs less is no difference, whatever the ratio
   */
  constructor(
    original: OriginalRuns,
    options: ExecutionOptions,
    measure: typeof measureLatency = measureLatency,
    worthMs: number = WORTH_MS,
  ) {
    this.#original = original;
    this.#options = options;
    this.#measure = measure;
    this.#worthMs = worthMs;
  }

  /** A first look, a closer one where B seems slower, and then the same with both loaded anew in other processes. */
  async contest(a: Contestant, b: Contestant, source: SampleSource): Promise<Contest | Failure> {
    const first = await this.look(a, b, source);
    if (first instanceof Failure) return first;
    if (!this.#isSlower(first)) return { latency: first, slower: false };
    let latency = first;
    for (let confirmation = 0; confirmation <= CONFIRMATIONS; confirmation++) {
      if (confirmation > 0) await this.#original.sessions.runtime.close();
      const again = await this.look(a, b, source, CLOSER_LOOK);
      if (again instanceof Failure) return again;
      latency = again;
      if (!this.#isSlower(latency)) return { latency, slower: false };
    }
    return { latency, slower: true };
  }

  #isSlower(latency: LatencyComparison): boolean {
    return isClearlySlower(latency, this.#worthMs);
  }

  /** One measurement of both. @throws SO5003 where the process dies meanwhile */
  async look(
    a: Contestant,
    b: Contestant,
    source: SampleSource,
    limits: { readonly minRuns: number; readonly maxMs: number } = FIRST_LOOK,
  ): Promise<LatencyComparison | Failure> {
    const { sessions, inputs } = this.#original;
    const { threads } = this.#options;
    const sessionA = await a.session();
    if (sessionA instanceof Failure) return sessionA;
    const sessionB = await b.session();
    if (sessionB instanceof Failure) return sessionB;
    if (!sessions.isLive(sessionA))
      throw new ServeOptError('SO5003', 'The ONNX Runtime process died while variants were measured');
    const options = { ...limits, ...(threads === undefined ? {} : { threads }) };
    const host = await sessions.runtime.host();
    try {
      return await this.#measure(host, [sessionA.id, sessionB.id], source, inputs, options);
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.code !== 'SO2105') throw error;
      await sessions.runtime.close();
      return new Failure(error.message, true, error);
    }
  }
}
