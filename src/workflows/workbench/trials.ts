import { ServeOptError } from '../../errors.js';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { ExecutionOptions, WorkflowContext } from '../options.js';
import { CandidateFiles } from './candidate-files.js';
import { channelAxes } from './channel-axes.js';
import { sessionOptions } from './execution-session.js';
import { Failure, type LoadedSession } from './failure.js';
import { fitSource } from './fit-source.js';
import { GuardedRuntime } from './guarded-runtime.js';
import { outputMeanings } from './output-meanings.js';
import { randomOutputs } from './random-outputs.js';

/** Most bytes of inputs and outputs that are kept of one source; later samples are left out. */
const KEPT_BYTES = 384 * 2 ** 20;
/** What tells nothing for so long is ended, in ms. */
const SILENCE_MS = 60_000;

/** The model that candidates are held against. */
export interface TrialOriginal {
  readonly model: Model;
  /** The file that it was read from: its weights stay there. */
  readonly path: string;
}

export interface TrialOptions extends ExecutionOptions, WorkflowContext {
  /** How labels are to be scored. */
  readonly wish?: MetricWish;
  /** Candidates are run without ONNX Runtime's own optimizations, too: what is emulated stays as it is. Default false. */
  readonly unoptimized?: boolean;
}

export interface TrialSourceOptions {
  /** Samples a run, where the data allows more than one; absent: as many as change nothing. 1 where a result depends on its batch. */
  readonly batchSize?: number;
  /** At most so many samples a run, where the batch is found. Default 8. */
  readonly mostBatch?: number;
  /** Default 384 MiB. */
  readonly maxBytes?: number;
}

export interface ScoreOptions {
  /** Only so many samples, in runs that are spread over all of them. Default all. */
  readonly most?: number;
  /** Probabilities are compared by their logarithms, as the scores before a Softmax would be. Default false. */
  readonly logarithms?: boolean;
}

/** Samples on which the original ran once. */
export interface TrialSamples {
  /** Samples that candidates are tried on. */
  readonly count: number;
  /** Samples of the source: more than `count` where they and what the original gives take too much memory. */
  readonly of: number;
  /** The source, with the sizes of synthetic samples chosen. */
  readonly source: SampleSource;
  /** What running the original on all of them took, in ms. */
  readonly runMs: number;
  /**
   * Runs a candidate in memory and holds it against the original: differences of outputs, and metrics where the samples have labels.
   * Weights that still stand in a file are not copied. Outputs that draw random numbers are marked.
   * @returns why, where ONNX Runtime refuses or dies of it; later trials go on in a new process
   */
  score(candidate: Model, options?: ScoreOptions): Promise<ComparisonResult | Failure>;
}

/** Many candidates for one original: it is run once for each source of samples, in the child process. */
export interface Trials {
  /** Runs the original. @throws what running it throws; SO5002 where it does not run on synthetic samples */
  on(source: SampleSource, options?: TrialSourceOptions): Promise<TrialSamples>;
  /** Writes a candidate to a file that stays until the trials end, for whatever else loads it: timing, a profile. @returns its path */
  write(candidate: Model): Promise<string>;
  /** How many candidates were scored. */
  readonly count: number;
}

/** Calls `use` with trials of candidates for a model; files of candidates and what the original gave are gone afterwards. */
export function withTrials<T>(
  runtime: LazyRuntime,
  original: TrialOriginal,
  options: TrialOptions,
  use: (trials: Trials) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const trials = new OpenTrials(runtime, original, options, new CandidateFiles(folder));
    try {
      return await use(trials);
    } finally {
      await trials.end();
    }
  });
}

/** What the child knows of a source. */
interface KeptSamples {
  readonly samples: number;
  readonly count: number;
  readonly of: number;
  readonly runMs: number;
  readonly session: SessionOptions;
}

class OpenTrials implements Trials {
  readonly #guarded: GuardedRuntime;
  readonly #original: TrialOriginal;
  readonly #options: TrialOptions;
  readonly #files: CandidateFiles;
  readonly #inputs: readonly ValueSpec[];
  readonly #random: ReadonlySet<string>;
  readonly #kept: Set<{ samples: number; generation: number }> = new Set();
  #count = 0;
  /** ONNX Runtime's own optimizations break the original. */
  #isPlain: boolean;

  constructor(runtime: LazyRuntime, original: TrialOriginal, options: TrialOptions, files: CandidateFiles) {
    this.#guarded = new GuardedRuntime(runtime, options, SILENCE_MS);
    this.#original = original;
    this.#options = options;
    this.#files = files;
    this.#inputs = inputSpecs(original.model);
    this.#random = randomOutputs(original.model);
    this.#isPlain = options.unoptimized ?? false;
  }

  get count(): number {
    return this.#count;
  }

  write(candidate: Model): Promise<string> {
    return this.#files.write(candidate);
  }

  async on(source: SampleSource, options: TrialSourceOptions = {}): Promise<TrialSamples> {
    const fitted = await this.#withOriginal(async ({ id }) => {
      const host = await this.#guarded.runtime.host();
      return fitSource(host, id, this.#inputs, source);
    });
    if (typeof fitted === 'string')
      throw new ServeOptError('SO5002', `Candidates cannot be tried: ${fitted}`, {
        hint: 'give real samples with --data, or sizes with --dim',
      });
    const { runtime } = this.#guarded;
    let known = await this.#keep(fitted, options);
    const entry = { samples: known.samples, generation: runtime.generation };
    this.#kept.add(entry);
    // What a process knew is gone with it.
    const keep = async (): Promise<KeptSamples> => {
      if (entry.generation === runtime.generation) return known;
      known = await this.#keep(fitted, options);
      Object.assign(entry, { samples: known.samples, generation: runtime.generation });
      return known;
    };
    const { count, of, runMs } = known;
    return { count, of, runMs, source: fitted, score: (candidate, how) => this.#score(candidate, keep, how) };
  }

  async #keep(
    source: SampleSource,
    { batchSize, mostBatch, maxBytes = KEPT_BYTES }: TrialSourceOptions,
  ): Promise<KeptSamples> {
    const { wish = {}, onProgress } = this.#options;
    return this.#withOriginal(async ({ id }, session) => {
      const host = await this.#guarded.runtime.host();
      const kept = await host.request(
        'trialOriginal',
        {
          session: id,
          source,
          inputs: this.#inputs,
          meanings: outputMeanings(this.#original.model),
          channelAxes: channelAxes(this.#original.model),
          wish,
          maxBytes,
          ...(batchSize === undefined ? {} : { batchSize }),
          ...(mostBatch === undefined ? {} : { mostBatch }),
        },
        { onProgress: ({ done, total }) => onProgress?.({ kind: 'advance', stage: 'trials', done, total }) },
      );
      return { ...kept, session };
    });
  }

  /** Calls `use` with a session of the original; once more without ONNX Runtime's optimizations where it fails with them. */
  async #withOriginal<T>(use: (original: LoadedSession, session: SessionOptions) => Promise<T>): Promise<T> {
    for (;;) {
      const session = this.#isPlain ? SESSIONS.unoptimized : SESSIONS.compared;
      try {
        const { runtime } = this.#guarded;
        const options = withOptions(session, sessionOptions(this.#options));
        const host = await runtime.host();
        const loaded = await host.request('load', { path: this.#original.path, options });
        const result = await use({ id: loaded.session, generation: runtime.generation }, session);
        await host.request('release', { session: loaded.session });
        return result;
      } catch (error) {
        const mayHelp = error instanceof ServeOptError && (error.code === 'SO5001' || error.code === 'SO5002');
        if (!mayHelp || this.#isPlain) throw error;
        this.#isPlain = true;
      }
    }
  }

  async #score(
    candidate: Model,
    keep: () => Promise<KeptSamples>,
    how: ScoreOptions | undefined,
  ): Promise<ComparisonResult | Failure> {
    this.#count++;
    const { samples, session } = await keep();
    return this.#files.try(candidate, async (path) => {
      const loaded = await this.#guarded.load(path, session, 'candidate');
      if (loaded instanceof Failure) return loaded;
      const result = await this.#guarded.attempt('running the candidate', (host, watch) =>
        host.request('trial', { samples, session: loaded.id, ...how }, watch),
      );
      await this.#guarded.release(loaded);
      return result instanceof Failure ? result : this.#marked(result);
    });
  }

  #marked(result: ComparisonResult): ComparisonResult {
    if (this.#random.size === 0) return result;
    const outputs = result.outputs.map((output) =>
      this.#random.has(output.name) && output.exactEqual < 1 ? { ...output, random: true as const } : output,
    );
    return { ...result, outputs };
  }

  /** Frees what the child keeps. */
  async end(): Promise<void> {
    const { runtime } = this.#guarded;
    if (!runtime.running || this.#options.signal?.aborted) return;
    for (const { samples, generation } of this.#kept)
      if (generation === runtime.generation)
        await this.#guarded.attempt('ending trials', (host) => host.request('trialEnd', { samples }));
  }
}
