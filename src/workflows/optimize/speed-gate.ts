import { ServeOptError } from '../../errors.js';
import type { LatencyComparison, SlowPassReport } from '../../report/types.js';
import type { SampleSource } from '../../runtime/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { OptimizeOptions } from '../options.js';
import { measureLatency } from '../verify.js';
import { Failure, type LoadedSession, OPTIMIZED_SESSION, type OriginalRuns } from './original.js';
import type { Optimized, Pipeline } from './pipeline.js';
import { Trials } from './trials.js';

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
/** Slower by less is not worth a fusion. */
const WORTH_RATIO = 1.02;
/** Nor is this, whatever the ratio: a clock of a busy machine is not finer. */
const WORTH_MS = 0.01;
/** Passes tried one by one, those with most rewrites first. */
const MOST_TRIED = 8;

/** True when B takes longer than A beyond doubt, and by so much that it matters. */
export function isClearlySlower({ ratio, ratioLow, p50MsA, p50MsB }: LatencyComparison): boolean {
  return ratioLow > 1 && ratio > WORTH_RATIO && p50MsB - p50MsA > WORTH_MS;
}

interface Variant {
  readonly session: LoadedSession;
  readonly without: ReadonlySet<string>;
}

/** Measures the result beside the original and, where it is clearly slower, looks for the fusions that cost. */
export class SpeedGate {
  readonly #original: OriginalRuns;
  readonly #pipeline: Pipeline;
  readonly #options: OptimizeOptions;

  constructor(original: OriginalRuns, pipeline: Pipeline, options: OptimizeOptions) {
    this.#original = original;
    this.#pipeline = pipeline;
    this.#options = options;
  }

  /** @param session the result as a server would run it; it is not released. Gives a reason where nothing can be measured. */
  async judge(optimized: Optimized, session: LoadedSession): Promise<SpeedVerdict | string> {
    const verdict = await this.#original.attempt('measuring the result', () => this.#judge(optimized, session));
    return verdict instanceof Failure ? verdict.reason : verdict;
  }

  async #judge(optimized: Optimized, session: LoadedSession): Promise<SpeedVerdict | string> {
    const source = await this.#source();
    if (source instanceof Failure) return source.reason;
    const baseline = await this.#original.optimized();
    if (baseline instanceof Failure) return baseline.reason;
    let latency = await this.#measure([baseline, session], source, FIRST_LOOK);
    if (!isClearlySlower(latency)) return { latency, slower: [], hopeless: false };
    latency = await this.#measure([baseline, session], source, CLOSER_LOOK);
    if (!isClearlySlower(latency)) return { latency, slower: [], hopeless: false };
    return withWorkFolder((folder) =>
      this.#search(optimized, { session, baseline }, source, latency, new Trials(folder)),
    );
  }

  async #search(
    optimized: Optimized,
    { session, baseline }: { readonly session: LoadedSession; readonly baseline: LoadedSession },
    source: SampleSource,
    measured: LatencyComparison,
    trials: Trials,
  ): Promise<SpeedVerdict> {
    const candidates = this.#candidates(optimized);
    const slower: SlowPassReport[] = [];
    let latency = measured;
    let current: Variant = { session, without: new Set() };
    const take = async (variant: Variant): Promise<void> => {
      if (current.session !== session) await this.#original.release(current.session);
      current = variant;
      latency = await this.#measure([baseline, variant.session], source, FIRST_LOOK);
    };
    for (const pass of candidates) {
      const variant = await this.#variant(new Set([...current.without, pass]), trials);
      if (!variant) continue;
      const gain = await this.#measure([variant.session, current.session], source, FIRST_LOOK);
      if (gain.ratioLow > 1) {
        slower.push({ pass, ratio: gain.ratio, ratioLow: gain.ratioLow, ratioHigh: gain.ratioHigh });
        await take(variant);
        if (!isClearlySlower(latency)) return { latency, slower, hopeless: false };
      } else await this.#original.release(variant.session);
    }
    return this.#withoutAll(candidates, current, { latency, slower }, [baseline, source, trials]);
  }

  /** Each alone costs too little to be seen: without any of them it may be enough. */
  async #withoutAll(
    candidates: readonly string[],
    current: Variant,
    found: { readonly latency: LatencyComparison; readonly slower: readonly SlowPassReport[] },
    [baseline, source, trials]: readonly [LoadedSession, SampleSource, Trials],
  ): Promise<SpeedVerdict> {
    const rest = candidates.filter((pass) => !current.without.has(pass));
    if (rest.length > 0) {
      const variant = await this.#variant(new Set(candidates), trials);
      if (variant) {
        const gain = await this.#measure([variant.session, current.session], source, FIRST_LOOK);
        const latency = await this.#measure([baseline, variant.session], source, FIRST_LOOK);
        if (!isClearlySlower(latency)) {
          const { ratio, ratioLow, ratioHigh } = gain;
          const more = rest.map((pass) => ({ pass, ratio, ratioLow, ratioHigh }));
          return { latency, slower: [...found.slower, ...more], hopeless: false };
        }
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

  /** The result without some passes, loaded; undefined when it does not load. */
  async #variant(without: ReadonlySet<string>, trials: Trials): Promise<Variant | undefined> {
    const { model } = await this.#pipeline.run({ without });
    const session = await trials.try(model, (path) => this.#original.load(path, OPTIMIZED_SESSION, 'result'));
    return session instanceof Failure ? undefined : { session, without };
  }

  async #source(): Promise<SampleSource | Failure> {
    const { dataPath } = this.#options;
    return dataPath === undefined ? this.#original.source() : { kind: 'data', path: dataPath };
  }

  async #measure(
    sessions: readonly [LoadedSession, LoadedSession],
    source: SampleSource,
    limits: { readonly minRuns: number; readonly maxMs: number },
  ): Promise<LatencyComparison> {
    const { threads } = this.#options;
    if (!sessions.every((session) => this.#original.isLive(session)))
      throw new ServeOptError('SO5003', 'The ONNX Runtime process died while variants were measured');
    const [a, b] = sessions;
    const options = { ...limits, ...(threads === undefined ? {} : { threads }) };
    return measureLatency(await this.#original.runtime.host(), [a.id, b.id], source, this.#original.inputs, options);
  }
}
