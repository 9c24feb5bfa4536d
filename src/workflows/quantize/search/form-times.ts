/** Whether a form of a model is slower than the original, decided so that a busy machine does not decide it. */
import { LEAST_EFFECT } from '../../../bench/least-effect.js';
import type { LatencyComparison } from '../../../bench/results.js';
import { SESSIONS } from '../../../runtime/session-options.js';
import type { SampleSource } from '../../../samples/types.js';
import type { QuantizeOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import { Failure } from '../../workbench/failure.js';
import type { measureLatency } from '../../workbench/measure-latency.js';
import { OriginalRuns } from '../../workbench/original-runs.js';
import { isClearlySlower, LoadedContestant, TimedContests } from '../../workbench/timed-contest.js';

/** For a form that seems slower, where a first measurement is too noisy to tell. */
const LONG_LOOK = { minRuns: 400, maxMs: 10_000 } as const;
/** Slower by less a run, in ms, is no reason to give INT8 up: clocks and caches of one process are not finer. */
export const WORTH_MS = 0.005;

/** What timing a form beside the original came to. */
export interface FormTime {
  readonly latency: LatencyComparison;
  /** Beyond doubt, in several processes. */
  readonly slower: boolean;
  /** It seemed slower, and a closer look did not confirm it. */
  readonly doubtful: boolean;
}

/** Times forms of one model; another clock in tests. */
export interface FormClock {
  /** The first measurement of a result, which its report has in any case. @param path its file @param measure takes it */
  first(path: string, measure: () => Promise<LatencyComparison>): Promise<LatencyComparison>;
  /** Decides about a form. @param path its file @param first a measurement that is there already */
  time(path: string, first?: LatencyComparison): Promise<FormTime | Failure>;
}

/**
 * Times forms beside the original in ONNX Runtime. Nearly all pass a first look of at most four seconds. One that seems slower is looked at
 * for at most ten more, and is called slower only where both, loaded anew in other processes, show it again: three times, for at most five
 * seconds each.
 */
export class FormTimes implements FormClock {
  readonly #original: OriginalRuns;
  readonly #contests: TimedContests;
  readonly #source: SampleSource;

  /** @param measure the clock; another one in tests */
  constructor(
    { runtime, model, path, options }: ModelRun<QuantizeOptions>,
    source: SampleSource,
    measure?: typeof measureLatency,
  ) {
    this.#original = new OriginalRuns(runtime, model, model, path, options);
    this.#contests = new TimedContests(this.#original, options, measure, WORTH_MS);
    this.#source = source;
  }

  first(_: string, measure: () => Promise<LatencyComparison>): Promise<LatencyComparison> {
    return measure();
  }

  async time(path: string, first?: LatencyComparison): Promise<FormTime | Failure> {
    const seen = first ?? (await this.#look(path));
    if (seen instanceof Failure) return seen;
    if (!seemsSlower(seen)) return { latency: seen, slower: false, doubtful: false };
    if (!isClearlySlower(seen, WORTH_MS)) {
      const longer = await this.#look(path, LONG_LOOK);
      if (longer instanceof Failure) return longer;
      if (!isClearlySlower(longer, WORTH_MS)) return { latency: longer, slower: false, doubtful: seemsSlower(longer) };
    }
    const { sessions } = this.#original;
    const found = await this.#with(path, (contestant) =>
      sessions.attempt('measuring the result', () =>
        this.#contests.contest(this.#baseline(), contestant, this.#source),
      ),
    );
    if (found instanceof Failure) return found;
    return { ...found, doubtful: !found.slower && seemsSlower(found.latency) };
  }

  #look(
    path: string,
    limits?: { readonly minRuns: number; readonly maxMs: number },
  ): Promise<LatencyComparison | Failure> {
    const { sessions } = this.#original;
    return this.#with(path, (contestant) =>
      sessions.attempt('measuring the result', () =>
        this.#contests.look(this.#baseline(), contestant, this.#source, limits),
      ),
    );
  }

  #baseline() {
    return { session: () => this.#original.sessions.optimized() };
  }

  async #with<T>(path: string, use: (contestant: LoadedContestant) => Promise<T>): Promise<T> {
    const { sessions } = this.#original;
    const contestant = new LoadedContestant(sessions, () => sessions.load(path, SESSIONS.timed, 'result'), undefined);
    const result = await use(contestant);
    await contestant.release();
    return result;
  }
}

/** Slower by so much that it would matter, if it is so. */
export function seemsSlower({ ratio, p50MsA, p50MsB }: LatencyComparison): boolean {
  return ratio >= 1 + LEAST_EFFECT && p50MsB - p50MsA > WORTH_MS;
}
