import type { Model } from '../../ir/model.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { PRODUCE_DEFAULTS, type ProduceOptions } from '../options.js';
import { coverBranches } from './branch-coverage.js';
import { Failure, type LoadedSession } from './failure.js';
import { fitSource } from './fit-source.js';
import { OnceAProcess } from './once-a-process.js';
import type { OriginalSessions } from './original-sessions.js';
import { fewerSamples, smallerSamples } from './smaller-samples.js';

/** Synthetic samples, so that open dimensions take several sizes. */
export const ORIGINAL_SAMPLES = 5;

/** Synthetic samples in sizes that the original accepts, and that take its branches. */
export class OriginalSamples {
  readonly #sessions: OriginalSessions;
  readonly #model: Model;
  readonly #inputs: readonly ValueSpec[];
  readonly #options: Pick<ProduceOptions, 'seed' | 'dims'>;
  readonly #known: OnceAProcess;
  /** About branches that no sample reaches. */
  #branchNotes: readonly string[] = [];
  #fitted: SampleSource | undefined;
  /** What is left where all of them take too much memory. */
  #smaller: SampleSource | undefined;

  constructor(
    sessions: OriginalSessions,
    model: Model,
    inputs: readonly ValueSpec[],
    options: Pick<ProduceOptions, 'seed' | 'dims'>,
  ) {
    this.#sessions = sessions;
    this.#model = model;
    this.#inputs = inputs;
    this.#options = options;
    this.#known = new OnceAProcess(sessions.runtime);
  }

  /** What is to be said of them, as far as they have been asked for. */
  get warnings(): readonly string[] {
    const smaller = this.#smaller?.kind === 'seeded' ? [fewerSamples(this.#smaller.count, ORIGINAL_SAMPLES)] : [];
    return [...this.#branchNotes, ...smaller];
  }

  /** The samples, once they have been found. */
  get made(): SampleSource | undefined {
    return this.#smaller ?? this.#fitted;
  }

  async source(): Promise<SampleSource | Failure> {
    if (this.#smaller) return this.#smaller;
    const found = await this.#find();
    if (!(found instanceof Failure)) this.#fitted = found;
    return found;
  }

  #find(): Promise<SampleSource | Failure> {
    return this.#known.remember('source', async () => {
      const optimized = await this.#sessions.optimized();
      // Where there is no memory to load it, there is none to run it.
      if (optimized instanceof Failure && optimized.memory) return optimized;
      const fitted = optimized instanceof Failure ? optimized : await this.#fit(optimized);
      if (!(fitted instanceof Failure) || fitted.memory) return fitted;
      const bare = await this.#sessions.bare();
      const again = bare instanceof Failure ? bare : await this.#fit(bare);
      if (again instanceof Failure) return optimized instanceof Failure && !(bare instanceof Failure) ? again : fitted;
      this.#sessions.giveUpOptimized(fitted);
      return again;
    });
  }

  /**
   * Takes fewer or smaller ones from now on, in a new process: what was too large once has left its mark on this one.
   * @returns false where there are none that are smaller
   */
  async takeSmaller(): Promise<boolean> {
    const source = await this.source();
    const smaller = source instanceof Failure ? undefined : smallerSamples(source);
    if (!smaller) return false;
    await this.#sessions.runtime.close();
    this.#smaller = smaller;
    return true;
  }

  /** Samples in sizes that a session of the original accepts. */
  async #fit({ id }: LoadedSession): Promise<SampleSource | Failure> {
    const { seed = PRODUCE_DEFAULTS.seed, dims } = this.#options;
    const wanted: SampleSource = { kind: 'seeded', seed, count: ORIGINAL_SAMPLES, ...(dims ? { dims } : {}) };
    const fitted = await this.#sessions.attempt('running the original', (host, watch) =>
      fitSource(host, id, this.#inputs, wanted, watch),
    );
    if (fitted instanceof Failure) return fitted;
    if (typeof fitted === 'string') return new Failure(fitted);
    // What was too large has left its mark: a session keeps the memory that it took once.
    if (fitted.kind === 'seeded' && fitted.plan?.shapes !== undefined) await this.#sessions.runtime.close();
    const covered = await this.#sessions.attempt('running the original', (host, watch) =>
      coverBranches(host, this.#model, this.#inputs, fitted, watch),
    );
    // The conditions alone are no reason to give up.
    if (covered instanceof Failure) return fitted;
    this.#branchNotes = covered.notes;
    return covered.source;
  }
}
