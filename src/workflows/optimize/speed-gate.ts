import { LEAST_EFFECT } from '../../bench/least-effect.js';
import type { LatencyComparison } from '../../bench/results.js';
import { ServeOptError } from '../../errors.js';
import type { SlowPassReport } from '../../report/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import type { OptimizeOptions } from '../options.js';
import { Trials } from '../workbench/candidate-files.js';
import { Failure, type LoadedSession } from '../workbench/failure.js';
import { measureLatency } from '../workbench/measure-latency.js';
import { OPTIMIZED_SESSION, type OriginalRuns } from '../workbench/original-runs.js';
import type { Optimized, Pipeline } from './pipeline.js';

/** What the gate found. */
export interface SpeedVerdict {
  /** Original (A) against what is kept (B). */
  readonly latency: LatencyComparison;
  /** Passes to leave out. */
  readonly slower: readonly SlowPassReport[];
  /** True when every variant was slower: the original is best. */
  readonly hopeless: boolean;
}

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
/** Passes tried one by one, those with most rewrites first. */
const MOST_TRIED = 8;

/** True when B takes longer than A beyond doubt, and by so much that it matters. */
export function isClearlySlower({ ratio, ratioLow, p50MsA, p50MsB }: LatencyComparison): boolean {
  return ratioLow !== undefined && ratioLow > 1 && ratio >= 1 + LEAST_EFFECT && p50MsB - p50MsA > WORTH_MS;
}

/** A model that is loaded when it is measured, and again after its process has ended. */
interface Contestant {
  session(): Promise<LoadedSession | Failure>;
}

/** The result without some passes. */
class Variant implements Contestant {
  readonly without: ReadonlySet<string>;
  readonly #load: () => Promise<LoadedSession | Failure>;
  readonly #original: OriginalRuns;
  #session: LoadedSession | undefined;

  constructor(
    original: OriginalRuns,
    without: ReadonlySet<string>,
    load: () => Promise<LoadedSession | Failure>,
    session?: LoadedSession,
  ) {
    this.#original = original;
    this.without = without;
    this.#load = load;
    this.#session = session;
  }

  async session(): Promise<LoadedSession | Failure> {
    if (this.#session && this.#original.isLive(this.#session)) return this.#session;
    const session = await this.#load();
    this.#session = session instanceof Failure ? undefined : session;
    return session;
  }

  async release(): Promise<void> {
    if (this.#session) await this.#original.release(this.#session);
    this.#session = undefined;
  }
}

interface Contest {
  readonly latency: LatencyComparison;
  /** B was clearly slower each time. */
  readonly slower: boolean;
}

/** Measures the result beside the original and, where it is clearly slower, looks for the fusions that cost. */
export class SpeedGate {
  readonly #original: OriginalRuns;
  readonly #pipeline: Pipeline;
  readonly #options: OptimizeOptions;
  readonly #measure: typeof measureLatency;

  /** @param measure the clock; another one in tests */
  constructor(
    original: OriginalRuns,
    pipeline: Pipeline,
    options: OptimizeOptions,
    measure: typeof measureLatency = measureLatency,
  ) {
    this.#original = original;
    this.#pipeline = pipeline;
    this.#options = options;
    this.#measure = measure;
  }

  /** @param session the result as a server would run it; it is not released. Gives a reason where nothing can be measured. */
  async judge(optimized: Optimized, session: LoadedSession): Promise<SpeedVerdict | string> {
    const verdict = await this.#original.attempt('measuring the result', () =>
      withWorkFolder((folder) => this.#judge(optimized, session, new Trials(folder))),
    );
    return verdict instanceof Failure ? verdict.reason : verdict;
  }

  async #judge(optimized: Optimized, session: LoadedSession, trials: Trials): Promise<SpeedVerdict | string> {
    const source = await this.#source();
    if (source instanceof Failure) return source.reason;
    const baseline: Contestant = { session: () => this.#original.optimized() };
    const result = this.#variant(new Set(), trials, session);
    const found = await this.#contest(baseline, result, source);
    if (found instanceof Failure) return found.reason;
    if (!found.slower) return { latency: found.latency, slower: [], hopeless: false };
    return this.#search(this.#candidates(optimized), [baseline, result], source, found.latency, trials);
  }

  async #search(
    candidates: readonly string[],
    [baseline, result]: readonly [Contestant, Variant],
    source: SampleSource,
    measured: LatencyComparison,
    trials: Trials,
  ): Promise<SpeedVerdict> {
    const slower: SlowPassReport[] = [];
    let latency = measured;
    let current = result;
    for (const pass of candidates) {
      const variant = this.#variant(new Set([...current.without, pass]), trials);
      const gain = await this.#contest(variant, current, source);
      if (gain instanceof Failure || !gain.slower) {
        await variant.release();
        continue;
      }
      slower.push({ pass, ...ratioOf(gain.latency) });
      await current.release();
      current = variant;
      const now = await this.#contest(baseline, variant, source);
      if (now instanceof Failure) continue;
      latency = now.latency;
      if (!now.slower) return { latency, slower, hopeless: false };
    }
    return this.#withoutAll(candidates, current, { latency, slower }, [baseline, source, trials]);
  }

  /** Each alone costs too little to be seen: without any of them it may be enough. */
  async #withoutAll(
    candidates: readonly string[],
    current: Variant,
    found: { readonly latency: LatencyComparison; readonly slower: readonly SlowPassReport[] },
    [baseline, source, trials]: readonly [Contestant, SampleSource, Trials],
  ): Promise<SpeedVerdict> {
    const rest = candidates.filter((pass) => !current.without.has(pass));
    if (rest.length > 0) {
      const variant = this.#variant(new Set(candidates), trials);
      const gain = await this.#look(variant, current, source, FIRST_LOOK);
      const now = await this.#contest(baseline, variant, source);
      if (!(gain instanceof Failure) && !(now instanceof Failure) && !now.slower) {
        const more = rest.map((pass) => ({ pass, ...ratioOf(gain) }));
        return { latency: now.latency, slower: [...found.slower, ...more], hopeless: false };
      }
    }
    return { ...found, hopeless: true };
  }

  /** Fusions that did something, the busiest first. */
  #candidates({ outcome }: Optimized): string[] {
    const counts = new Map<string, number>();
    for (const { pass } of outcome.applied) counts.set(pass, (counts.get(pass) ?? 0) + 1);
    return this.#pipeline.recipe
      .filter(({ pass: { definition } }) => definition.group === 'fuse' && counts.has(definition.name))
      .map(({ pass: { definition } }) => definition.name)
      .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))
      .slice(0, MOST_TRIED);
  }

  #variant(without: ReadonlySet<string>, trials: Trials, session?: LoadedSession): Variant {
    const load = async (): Promise<LoadedSession | Failure> => {
      const { model } = await this.#pipeline.run({ without });
      return this.#original.load(await trials.write(model), OPTIMIZED_SESSION, 'result');
    };
    return new Variant(this.#original, without, load, session);
  }

  async #source(): Promise<SampleSource | Failure> {
    const { dataPath } = this.#options;
    return dataPath === undefined ? this.#original.source() : { kind: 'data', path: dataPath };
  }

  /** A first look, a closer one where B seems slower, and then the same with both loaded anew in other processes. */
  async #contest(a: Contestant, b: Contestant, source: SampleSource): Promise<Contest | Failure> {
    const first = await this.#look(a, b, source, FIRST_LOOK);
    if (first instanceof Failure) return first;
    if (!isClearlySlower(first)) return { latency: first, slower: false };
    let latency = first;
    for (let confirmation = 0; confirmation <= CONFIRMATIONS; confirmation++) {
      if (confirmation > 0) await this.#original.runtime.close();
      const again = await this.#look(a, b, source, CLOSER_LOOK);
      if (again instanceof Failure) return again;
      latency = again;
      if (!isClearlySlower(latency)) return { latency, slower: false };
    }
    return { latency, slower: true };
  }

  async #look(
    a: Contestant,
    b: Contestant,
    source: SampleSource,
    limits: { readonly minRuns: number; readonly maxMs: number },
  ): Promise<LatencyComparison | Failure> {
    const { threads } = this.#options;
    const sessionA = await a.session();
    if (sessionA instanceof Failure) return sessionA;
    const sessionB = await b.session();
    if (sessionB instanceof Failure) return sessionB;
    if (!this.#original.isLive(sessionA))
      throw new ServeOptError('SO5003', 'The ONNX Runtime process died while variants were measured');
    const options = { ...limits, ...(threads === undefined ? {} : { threads }) };
    const host = await this.#original.runtime.host();
    try {
      return await this.#measure(host, [sessionA.id, sessionB.id], source, this.#original.inputs, options);
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.code !== 'SO2105') throw error;
      await this.#original.runtime.close();
      return new Failure(error.message, true, error);
    }
  }
}

function ratioOf({ ratio, ratioLow, ratioHigh }: LatencyComparison): Omit<SlowPassReport, 'pass'> {
  return {
    ratio,
    ...(ratioLow === undefined ? {} : { ratioLow }),
    ...(ratioHigh === undefined ? {} : { ratioHigh }),
  };
}
