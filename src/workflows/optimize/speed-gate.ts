import type { LatencyComparison } from '../../bench/results.js';
import type { SlowPassReport } from '../../report/types.js';
import { SESSIONS } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import type { OptimizeOptions } from '../options.js';
import { CandidateFiles } from '../workbench/candidate-files.js';
import { Failure, type LoadedSession } from '../workbench/failure.js';
import type { measureLatency } from '../workbench/measure-latency.js';
import type { OriginalRuns } from '../workbench/original-runs.js';
import { type Contestant, LoadedContestant, TimedContests } from '../workbench/timed-contest.js';
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

/** Passes tried one by one, those with most rewrites first. */
const MOST_TRIED = 8;

/** The result without some passes. */
interface Variant {
  readonly without: ReadonlySet<string>;
  readonly loaded: LoadedContestant;
}

/** What all variants are held against, and where they are written. */
interface Search {
  readonly baseline: Contestant;
  readonly source: SampleSource;
  readonly files: CandidateFiles;
}

/** Measures the result beside the original and, where it is clearly slower, looks for the fusions that cost. */
export class SpeedGate {
  readonly #original: OriginalRuns;
  readonly #pipeline: Pipeline;
  readonly #options: OptimizeOptions;
  readonly #contests: TimedContests;

  /** @param measure the clock; another one in tests */
  constructor(original: OriginalRuns, pipeline: Pipeline, options: OptimizeOptions, measure?: typeof measureLatency) {
    this.#original = original;
    this.#pipeline = pipeline;
    this.#options = options;
    this.#contests = new TimedContests(original, options, measure);
  }

  /** @param session the result as a server would run it; it is not released. Gives a reason where nothing can be measured. */
  async judge(optimized: Optimized, session: LoadedSession): Promise<SpeedVerdict | string> {
    const verdict = await this.#original.sessions.attempt('measuring the result', () =>
      withWorkFolder((folder) => this.#judge(optimized, session, new CandidateFiles(folder))),
    );
    return verdict instanceof Failure ? verdict.reason : verdict;
  }

  async #judge(optimized: Optimized, session: LoadedSession, files: CandidateFiles): Promise<SpeedVerdict | string> {
    const source = await this.#source();
    if (source instanceof Failure) return source.reason;
    const search: Search = { baseline: { session: () => this.#original.sessions.optimized() }, source, files };
    const result = this.#variant(new Set(), files, session);
    const found = await this.#contests.contest(search.baseline, result.loaded, source);
    if (found instanceof Failure) return found.reason;
    if (!found.slower) return { latency: found.latency, slower: [], hopeless: false };
    return this.#search(this.#candidates(optimized), result, search, found.latency);
  }

  async #search(
    candidates: readonly string[],
    result: Variant,
    search: Search,
    measured: LatencyComparison,
  ): Promise<SpeedVerdict> {
    const { baseline, source, files } = search;
    const slower: SlowPassReport[] = [];
    let latency = measured;
    let current = result;
    for (const pass of candidates) {
      const variant = this.#variant(new Set([...current.without, pass]), files);
      const gain = await this.#contests.contest(variant.loaded, current.loaded, source);
      if (gain instanceof Failure || !gain.slower) {
        await variant.loaded.release();
        continue;
      }
      slower.push({ pass, ...ratioOf(gain.latency) });
      await current.loaded.release();
      current = variant;
      const now = await this.#contests.contest(baseline, variant.loaded, source);
      if (now instanceof Failure) continue;
      latency = now.latency;
      if (!now.slower) return { latency, slower, hopeless: false };
    }
    return this.#withoutAll(candidates, current, { latency, slower }, search);
  }

  /** Each alone costs too little to be seen: without any of them it may be enough. */
  async #withoutAll(
    candidates: readonly string[],
    current: Variant,
    found: { readonly latency: LatencyComparison; readonly slower: readonly SlowPassReport[] },
    { baseline, source, files }: Search,
  ): Promise<SpeedVerdict> {
    const rest = candidates.filter((pass) => !current.without.has(pass));
    if (rest.length > 0) {
      const variant = this.#variant(new Set(candidates), files);
      const gain = await this.#contests.look(variant.loaded, current.loaded, source);
      const now = await this.#contests.contest(baseline, variant.loaded, source);
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

  #variant(without: ReadonlySet<string>, files: CandidateFiles, session?: LoadedSession): Variant {
    const { sessions } = this.#original;
    const load = async (): Promise<LoadedSession | Failure> => {
      const { model } = await this.#pipeline.run({ without });
      return sessions.load(await files.write(model), SESSIONS.timed, 'result');
    };
    return { without, loaded: new LoadedContestant(sessions, load, session) };
  }

  async #source(): Promise<SampleSource | Failure> {
    const { dataPath } = this.#options;
    return dataPath === undefined ? this.#original.samples.source() : { kind: 'data', path: dataPath };
  }
}

function ratioOf({ ratio, ratioLow, ratioHigh }: LatencyComparison): Omit<SlowPassReport, 'pass'> {
  return {
    ratio,
    ...(ratioLow === undefined ? {} : { ratioLow }),
    ...(ratioHigh === undefined ? {} : { ratioHigh }),
  };
}
