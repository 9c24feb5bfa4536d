import type { LatencyComparison } from '../../bench/results.js';
import { ServeOptError } from '../../errors.js';
import type { ChannelAxes } from '../../evaluate/channel-noise.js';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { OutputMeanings } from '../../evaluate/output-meaning.js';
import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { ExecutionOptions, ModelOptions, WorkflowContext } from '../options.js';
import { asInvalidModel } from '../preflight/model.js';
import { coverBranches } from './branch-coverage.js';
import { channelAxes } from './channel-axes.js';
import { sessionOptions } from './execution-session.js';
import { fitSource } from './fit-source.js';
import { measureLatency } from './measure-latency.js';
import { outputMeanings } from './output-meanings.js';
import { randomOutputs } from './random-outputs.js';

/** Two loaded models, ready to be run on the same samples. */
export interface LoadedPair {
  /** What to say of how they are run: that ONNX Runtime's own optimizations break one of them, for one. */
  readonly warnings: readonly string[];
  /** Synthetic samples of sizes that the original accepts; a sentence when it accepts none. Data is given back as it is. */
  fit(source: SampleSource): Promise<SampleSource | string>;
  /**
   * @param batchSize samples a run; absent: as many as change nothing
   * @param candidate another session in the place of the candidate's
   */
  compare(source: SampleSource, batchSize?: number, candidate?: number): Promise<ComparisonResult>;
  latency(source: SampleSource): Promise<LatencyComparison>;
  /** Makes both sessions anew: they keep the memory that they took once. */
  reload(): Promise<void>;
}

/** Both models as files. */
interface PairPaths {
  readonly a: string;
  readonly b: string;
}

export interface PairOptions extends ExecutionOptions, WorkflowContext {
  /** How labels are to be scored. */
  readonly wish?: MetricWish;
  /** Options of the candidate's session beside those of both. */
  readonly candidateSession?: SessionOptions;
}

/**
 * Loads the original and the candidate in ONNX Runtime. Where one does not load or run as ONNX Runtime optimizes it, both
 * are run without these optimizations.
 * @throws SO5001 naming the one that is refused either way, SO5003 where the process ends
 */
export async function loadPair(
  runtime: RuntimeHost,
  original: Model,
  paths: PairPaths,
  options: PairOptions,
): Promise<LoadedPair> {
  const pair = new Pair(runtime, original, paths, options);
  await pair.load();
  return pair;
}

/** As `loadPair`, for a result of which the original may be invalid: a sentence where that is allowed, and it is refused. */
export async function loadPairIfValid(
  runtime: RuntimeHost,
  original: Model,
  paths: PairPaths,
  options: PairOptions & ModelOptions,
): Promise<LoadedPair | string> {
  try {
    return await loadPair(runtime, original, paths, options);
  } catch (error) {
    const isOriginal = error instanceof ServeOptError && error.location.file === paths.a;
    if (!isOriginal) throw error;
    if (options.allowInvalid && error.code === 'SO5001') return error.message;
    throw asInvalidModel(error, options);
  }
}

/** Loads both without ONNX Runtime's own optimizations, for the reason given. @throws as `loadPair` */
export async function loadPlainPair(
  runtime: RuntimeHost,
  original: Model,
  paths: PairPaths,
  options: PairOptions,
  reason: string,
): Promise<LoadedPair> {
  const pair = new Pair(runtime, original, paths, options);
  await pair.loadPlain(reason);
  return pair;
}

class Pair implements LoadedPair {
  readonly warnings: string[] = [];
  readonly #runtime: RuntimeHost;
  readonly #original: Model;
  readonly #inputs: readonly ValueSpec[];
  readonly #meanings: OutputMeanings;
  readonly #channelAxes: ChannelAxes;
  readonly #paths: PairPaths;
  readonly #options: PairOptions;
  #a = -1;
  #b = -1;
  #isPlain = false;

  constructor(runtime: RuntimeHost, original: Model, paths: PairPaths, options: PairOptions) {
    this.#runtime = runtime;
    this.#original = original;
    this.#inputs = inputSpecs(original);
    this.#meanings = outputMeanings(original);
    this.#channelAxes = channelAxes(original);
    this.#paths = paths;
    this.#options = options;
  }

  async load(): Promise<void> {
    await this.#orPlain(() => this.#loadBoth(SESSIONS.compared));
  }

  async loadPlain(reason: string): Promise<void> {
    await this.#loadBoth(SESSIONS.unoptimized);
    this.#isPlain = true;
    this.warnings.push(`The optimizations of ONNX Runtime break a model (${reason}): both ran with them off.`);
  }

  async fit(source: SampleSource): Promise<SampleSource | string> {
    const fitted = await this.#fit(source);
    if (typeof fitted === 'string') return fitted;
    // Some sizes were too large, or took too long.
    if (fitted.kind === 'seeded' && fitted.plan?.shapes !== undefined) await this.reload();
    const { source: covering, notes } = await coverBranches(this.#runtime, this.#original, this.#inputs, fitted);
    this.warnings.push(...notes);
    return covering;
  }

  async #fit(source: SampleSource): Promise<SampleSource | string> {
    const fitted = await fitSource(this.#runtime, this.#a, this.#inputs, source);
    if (typeof fitted !== 'string' || this.#isPlain) return fitted;
    const sessions = [this.#a, this.#b] as const;
    [this.#a] = [await this.#loadOne(this.#paths.a, SESSIONS.unoptimized)];
    const again = await fitSource(this.#runtime, this.#a, this.#inputs, source);
    if (typeof again === 'string') {
      await this.#release(this.#a);
      [this.#a, this.#b] = sessions;
      return fitted;
    }
    for (const session of [this.#a, ...sessions]) await this.#release(session);
    await this.loadPlain(fitted);
    return again;
  }

  async compare(source: SampleSource, batchSize?: number, candidate?: number): Promise<ComparisonResult> {
    const result = await this.#compare(source, batchSize, candidate);
    const random = randomOutputs(this.#original);
    const marked = result.outputs.map((output) =>
      random.has(output.name) && output.exactEqual < 1 ? { ...output, random: true as const } : output,
    );
    return random.size === 0 ? result : { ...result, outputs: marked };
  }

  #compare(source: SampleSource, batchSize?: number, candidate?: number): Promise<ComparisonResult> {
    const known = { meanings: this.#meanings, channelAxes: this.#channelAxes };
    const { wish = {} } = this.#options;
    const size = batchSize === undefined ? {} : { batchSize };
    return this.#orPlain(() =>
      this.#runtime.request(
        'compare',
        { a: this.#a, b: candidate ?? this.#b, source, inputs: this.#inputs, ...known, wish, ...size },
        {
          onProgress: ({ done, total }) =>
            this.#options.onProgress?.({ kind: 'advance', stage: 'compare', done, total }),
        },
      ),
    );
  }

  latency(source: SampleSource): Promise<LatencyComparison> {
    return measureLatency(this.#runtime, [this.#a, this.#b], source, this.#inputs, this.#options);
  }

  async reload(): Promise<void> {
    await this.#release(this.#a);
    await this.#release(this.#b);
    await this.#loadPair(this.#isPlain ? SESSIONS.unoptimized : SESSIONS.compared);
  }

  /** Does something; once more without ONNX Runtime's own optimizations where a model is refused or fails with them. */
  async #orPlain<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const mayHelp = error instanceof ServeOptError && (error.code === 'SO5001' || error.code === 'SO5002');
      if (!mayHelp || this.#isPlain) throw error;
      try {
        await this.loadPlain(error.message);
        return await act();
      } catch {
        // What was said first is what a server would say.
        throw error;
      }
    }
  }

  async #loadBoth(session: SessionOptions): Promise<void> {
    if (!this.#isPlain) await this.#loadPair(session);
  }

  async #loadPair(session: SessionOptions): Promise<void> {
    this.#a = await this.#loadOne(this.#paths.a, session);
    this.#b = await this.#loadOne(this.#paths.b, withOptions(session, this.#options.candidateSession ?? {}));
  }

  async #loadOne(path: string, session: SessionOptions): Promise<number> {
    const options = withOptions(session, sessionOptions(this.#options));
    return (await this.#runtime.request('load', { path, options })).session;
  }

  async #release(session: number): Promise<void> {
    await this.#runtime.request('release', { session });
  }
}
