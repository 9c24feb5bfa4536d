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
import { type Contestant, isClearlySlower, LoadedContestant, TimedContests } from '../../workbench/timed-contest.js';

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
 * seconds each. Where the machine is too busy for that, the same is done with one thread, which waits for no other: from then on for all forms.
 */
export class FormTimes implements FormClock {
  readonly #run: ModelRun<QuantizeOptions>;
  readonly #source: SampleSource;
  readonly #measure: typeof measureLatency | undefined;
  readonly #asAsked: TimedPlace;
  /** Once threads were found to wait for other work. */
  #alone: TimedPlace | undefined;

  /** @param measure the clock; another one in tests */
  constructor(run: ModelRun<QuantizeOptions>, source: SampleSource, measure?: typeof measureLatency) {
    this.#run = run;
    this.#source = source;
    this.#measure = measure;
    this.#asAsked = this.#place(run.options);
  }

  #place(options: ModelRun<QuantizeOptions>['options']): TimedPlace {
    const { runtime, model, path } = this.#run;
    const original = new OriginalRuns(runtime, model, model, path, options);
    return { original, contests: new TimedContests(original, options, this.#measure, WORTH_MS) };
  }

  first(_: string, measure: () => Promise<LatencyComparison>): Promise<LatencyComparison> {
    return measure();
  }

  async time(path: string, first?: LatencyComparison): Promise<FormTime | Failure> {
    if (this.#alone) return this.#contest(this.#alone, path);
    const seen = first ?? (await this.#look(path));
    if (seen instanceof Failure) return seen;
    if (!seemsSlower(seen)) return isUndecided(seen) ? this.#onOneThread(path, seen) : standing(seen);
    if (!isClearlySlower(seen, WORTH_MS)) {
      const longer = await this.#look(path, LONG_LOOK);
      if (longer instanceof Failure) return longer;
      if (!seemsSlower(longer) && !isUndecided(longer)) return standing(longer);
      if (!isClearlySlower(longer, WORTH_MS)) return this.#onOneThread(path, longer);
    }
    const found = await this.#contest(this.#asAsked, path);
    return found instanceof Failure || !found.doubtful ? found : this.#onOneThread(path, found.latency);
  }

  /** @param seen what was measured with the threads that were asked for */
  async #onOneThread(path: string, seen: LatencyComparison): Promise<FormTime> {
    const { options } = this.#run;
    if (options.threads === 1) return standing(seen);
    const alone = this.#place({ ...options, threads: 1 });
    const found = await this.#contest(alone, path);
    if (found instanceof Failure) return standing(seen);
    this.#alone = alone;
    return found;
  }

  async #contest({ original, contests }: TimedPlace, path: string): Promise<FormTime | Failure> {
    const found = await withForm(original, path, (contestant) =>
      original.sessions.attempt('measuring the result', () =>
        contests.contest(baseline(original), contestant, this.#source),
      ),
    );
    if (found instanceof Failure) return found;
    return { ...found, doubtful: !found.slower && seemsSlower(found.latency) };
  }

  #look(
    path: string,
    limits?: { readonly minRuns: number; readonly maxMs: number },
  ): Promise<LatencyComparison | Failure> {
    const { original, contests } = this.#asAsked;
    return withForm(original, path, (contestant) =>
      original.sessions.attempt('measuring the result', () =>
        contests.look(baseline(original), contestant, this.#source, limits),
      ),
    );
  }
}

/** Sessions of the original with certain options, and contests against it. */
interface TimedPlace {
  readonly original: OriginalRuns;
  readonly contests: TimedContests;
}

function baseline({ sessions }: OriginalRuns): Contestant {
  return { session: () => sessions.optimized() };
}

/** Loads a form, calls `use` with it, and frees it. */
async function withForm<T>(
  { sessions }: OriginalRuns,
  path: string,
  use: (contestant: LoadedContestant) => Promise<T>,
): Promise<T> {
  const contestant = new LoadedContestant(sessions, () => sessions.load(path, SESSIONS.timed, 'result'), undefined);
  const result = await use(contestant);
  await contestant.release();
  return result;
}

const standing = (latency: LatencyComparison): FormTime => ({ latency, slower: false, doubtful: seemsSlower(latency) });

/** Slower by so much that it would matter, if it is so. */
export function seemsSlower({ ratio, p50MsA, p50MsB }: LatencyComparison): boolean {
  return ratio >= 1 + LEAST_EFFECT && p50MsB - p50MsA > WORTH_MS;
}

/** How far apart the ends of an interval are on a machine that is busy with other work. */
const NOISY = 1.25;

/** So noisy that a result which seems as fast may be slower. */
export function isUndecided({ ratioLow, ratioHigh, p50MsA }: LatencyComparison): boolean {
  if (ratioLow === undefined || ratioHigh === undefined || ratioHigh < NOISY * ratioLow) return false;
  return ratioHigh >= 1 + LEAST_EFFECT && (ratioHigh - 1) * p50MsA > WORTH_MS;
}
