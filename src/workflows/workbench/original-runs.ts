import { ServeOptError } from '../../errors.js';
import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import type { RequestOptions, RuntimeHost } from '../../runtime/host.js';
import { fetchableOutputs } from '../../runtime/interface-screen.js';
import type { ReferenceResult } from '../../runtime/jobs/verify.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { saysInvalid } from '../../runtime/native-text.js';
import { forTurns } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';
import { OPTIMIZE_DEFAULTS, type OptimizeOptions } from '../options.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import { coverBranches } from './branch-coverage.js';
import { sessionOptions } from './execution-session.js';
import { Failure, type LoadedSession, optimizationsBreak, someFail } from './failure.js';
import { fitSource } from './fit-source.js';
import { randomOutputs } from './random-outputs.js';
import { fewerSamples, smallerSamples } from './smaller-samples.js';

/** Samples of each source, so that open dimensions take several sizes. */
const SAMPLES = 5;
/** After this time with the original no more edge cases are added. */
const REFERENCE_MS = 3000;

/**
 * What tells nothing for so long does not end, or not soon enough: a Loop whose condition is NaN, for one, and 50,000 nodes that
 * ONNX Runtime takes minutes to load. Large files may take longer.
 */
const SILENCE_MS = 30_000;
const SILENCE_MS_PER_MB = 50;

/** ONNX Runtime takes some four kilobytes a node. */
const LARGE_NODES = 20_000;

/** As a server runs it, ready to be timed beside another. */
export const OPTIMIZED_SESSION: SessionOptions = forTurns({ graphOptimization: 'all' });

/**
 * How models are run to compare what they compute: kernels as they are, node by node. Prepared weights are off, since
 * ONNX Runtime prepares constants only: what the passes turn into a constant would be multiplied in another order.
 */
const PLAIN_SESSION: SessionOptions = {
  graphOptimization: 'disabled',
  memoryPattern: false,
  config: { 'session.disable_prepacking': '1' },
};

/** What the original gives on samples and edge cases, kept in the child process. */
export interface PreparedReference extends ReferenceResult {
  /** How models are loaded to be compared with it. */
  readonly session: SessionOptions;
  /** Whether results are to run as ONNX Runtime optimizes them, too: not where its optimizations break the original. */
  readonly optimized: boolean;
  /** False where only ONNX Runtime's optimizations make the original loadable: then nothing is equal bit for bit. */
  readonly plain: boolean;
}

interface Remembered {
  readonly answer: unknown;
  readonly generation: number;
}

/** The original in ONNX Runtime: loaded and run when something is asked, once for each child process. */
export class OriginalRuns {
  readonly runtime: LazyRuntime;
  /** What callers must feed, open sizes as they are in the result. */
  readonly inputs: readonly ValueSpec[];
  /** Outputs that ONNX Runtime for Node cannot hand over. */
  readonly notCompared: readonly string[];
  /** Outputs whose values are random. */
  readonly random: readonly string[];
  /** About branches that no sample reaches. */
  #branchNotes: readonly string[] = [];
  readonly #model: Model;
  readonly #path: string;
  readonly #options: OptimizeOptions;
  readonly #silenceMs: number;
  readonly #refused: string | undefined;
  /** Its sessions take hundreds of megabytes: no two of them are kept at once. */
  readonly #isLarge: boolean;
  readonly #remembered: Map<string, Remembered> = new Map();
  /** What is left of made-up samples where all of them take too much memory. */
  #smaller: SampleSource | undefined;
  #edgesAreDeadly = false;
  #optimizedEdgesAreDeadly = false;
  /** Why the original is not used as ONNX Runtime optimizes it. */
  #optimizedFault: Failure | undefined;
  /** What took too long to load once does so again, whatever the options. */
  #tooSlow: Failure | undefined;

  constructor(
    runtime: LazyRuntime,
    original: Model,
    base: Model,
    path: string,
    options: OptimizeOptions,
    silenceMs: number = SILENCE_MS + ((original.source?.sizeBytes ?? 0) / 1e6) * SILENCE_MS_PER_MB,
  ) {
    this.#silenceMs = silenceMs;
    this.runtime = runtime;
    this.inputs = commonInputs(inputSpecs(original), inputSpecs(base));
    const outputs = outputSpecs(original);
    const fetchable = new Set(fetchableOutputs(outputs));
    this.notCompared = outputs.flatMap(({ name }) => (fetchable.has(name) ? [] : [name]));
    this.random = [...randomOutputs(original)].filter((name) => fetchable.has(name));
    this.#model = original;
    this.#path = path;
    this.#options = options;
    this.#refused = whyNotRunnable(original);
    this.#isLarge = countModel(original).nodes > LARGE_NODES;
  }

  /** Session of the original as a server would run it; a failure where ONNX Runtime's optimizations break it. */
  async optimized(): Promise<LoadedSession | Failure> {
    return (
      this.#optimizedFault ?? this.#remember('optimized', () => this.load(this.#path, OPTIMIZED_SESSION, 'original'))
    );
  }

  /** Why the original is compared without ONNX Runtime's optimizations only; undefined where it is not so. */
  get optimizedFault(): string | undefined {
    return this.#optimizedFault?.reason;
  }

  /**
   * What is wrong with the original according to ONNX Runtime, which refuses it however it is loaded; undefined where it
   * loads, or is refused for what is not its fault: an operator or a type that this build does not have, its size.
   */
  async whyInvalid(): Promise<string | undefined> {
    const optimized = await this.optimized();
    if (!(optimized instanceof Failure) || optimized.died || !saysInvalid(optimized.reason)) return undefined;
    const plain = await this.#plain();
    return plain instanceof Failure && !plain.died ? plain.reason : undefined;
  }

  /**
   * Why a result does not load although the original does, however little else can be said of them: undefined where it
   * loads; `undefined` in `loads` where the original does not load either.
   */
  async whyNotLoaded(path: string): Promise<{ readonly loads: boolean; readonly wrong?: Failure }> {
    let loads = false;
    for (const [own, options] of [
      [await this.optimized(), OPTIMIZED_SESSION],
      [await this.#plain(), PLAIN_SESSION],
    ] as const) {
      if (own instanceof Failure) continue;
      const session = await this.load(path, options, 'result');
      if (session instanceof Failure) return { loads: false, wrong: session };
      await this.release(session);
      loads = true;
    }
    return { loads };
  }

  /**
   * Takes fewer or smaller made-up samples from now on, in a new process: what was too large once has left its mark on this one.
   * @returns false where there are none that are smaller
   */
  async takeSmallerSamples(): Promise<boolean> {
    const source = await this.source();
    const smaller = source instanceof Failure ? undefined : smallerSamples(source);
    if (!smaller) return false;
    await this.runtime.close();
    this.#remembered.delete('reference');
    this.#smaller = smaller;
    return true;
  }

  /** Made-up samples in sizes that the original accepts. */
  async source(): Promise<SampleSource | Failure> {
    if (this.#smaller) return this.#smaller;
    return this.#remember('source', async () => {
      const optimized = await this.optimized();
      // Where there is no memory to load it, there is none to run it.
      if (optimized instanceof Failure && optimized.memory) return optimized;
      const fitted = optimized instanceof Failure ? optimized : await this.#fit(optimized);
      if (!(fitted instanceof Failure) || fitted.memory) return fitted;
      const plain = await this.#plain();
      const again = plain instanceof Failure ? plain : await this.#fit(plain);
      if (again instanceof Failure) return optimized instanceof Failure && !(plain instanceof Failure) ? again : fitted;
      this.#optimizedFault = fitted;
      return again;
    });
  }

  /** Made-up samples in sizes that a session of the original accepts. */
  async #fit({ id }: LoadedSession): Promise<SampleSource | Failure> {
    const seed = this.#options.seed ?? OPTIMIZE_DEFAULTS.seed;
    const fitted = await this.attempt('running the original', (host, watch) =>
      fitSource(host, id, this.inputs, { kind: 'seeded', seed, count: SAMPLES }, watch),
    );
    if (fitted instanceof Failure || typeof fitted === 'string')
      return typeof fitted === 'string' ? new Failure(fitted) : fitted;
    // What was too large has left its mark: a session keeps the memory that it took once.
    if (fitted.kind === 'seeded' && fitted.plan?.shapes !== undefined) await this.runtime.close();
    const covered = await this.attempt('running the original', (host, watch) =>
      coverBranches(host, this.#model, this.inputs, fitted, watch),
    );
    // The conditions alone are no reason to give up.
    if (covered instanceof Failure) return fitted;
    this.#branchNotes = covered.notes;
    return covered.source;
  }

  /** What the original gives; on samples alone where edge cases end the process or do not end themselves. */
  reference(): Promise<PreparedReference | Failure> {
    return this.#remember('reference', async () => {
      const full = this.#edgesAreDeadly ? undefined : await this.#refer(true);
      if (full && !(full instanceof Failure && full.died)) return full;
      this.#edgesAreDeadly = true;
      return this.#refer(false);
    });
  }

  /** Loads a model; the session, or why not. @throws what is no fault of the model: SO5004, SO5005, SO8130 */
  async load(path: string, session: SessionOptions, what: string): Promise<LoadedSession | Failure> {
    if (this.#refused !== undefined) return new Failure(this.#refused);
    if (this.#tooSlow && path === this.#path) return this.#tooSlow;
    const options = { ...session, ...sessionOptions(this.#options) };
    const loaded = await this.attempt(`loading the ${what}`, (host, watch) =>
      host.request('load', { path, options }, watch),
    );
    if (loaded instanceof Failure && loaded.timedOut && path === this.#path) this.#tooSlow = loaded;
    return loaded instanceof Failure ? loaded : { id: loaded.session, generation: this.runtime.generation };
  }

  /** Frees a session, unless its process is gone. */
  async release(session: LoadedSession): Promise<void> {
    if (this.isLive(session))
      await this.attempt('freeing a session', (host) => host.request('release', { session: session.id }));
  }

  /** Whether the process of a session is still there. */
  isLive(session: LoadedSession): boolean {
    return session.generation === this.runtime.generation;
  }

  /**
   * Asks something of the child process, and makes a reason of what a model is to blame for: that it is refused, that the
   * process ends, or that it does not come to an end. A process that ended is replaced by the next request.
   * @param ask passes `watch` on with what may last: it ends a request that makes no progress any more
   */
  async attempt<T>(doing: string, ask: (host: RuntimeHost, watch: RequestOptions) => Promise<T>): Promise<T | Failure> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.#silenceMs);
    try {
      return await ask(await this.runtime.host(), {
        signal: silence.signal,
        onProgress: () => timer.refresh(),
      });
    } catch (error) {
      if (!(error instanceof ServeOptError) || this.#options.signal?.aborted) throw error;
      if (silence.signal.aborted) {
        await this.runtime.close();
        const seconds = Math.round(this.#silenceMs / 1000);
        return new Failure(`${doing} does not come to an end within ${seconds} s`, true, undefined, true);
      }
      const reason = error.why === undefined ? error.message : `${error.message}: ${error.why}`;
      if (error.code === 'SO5001' || error.code === 'SO5002' || error.code === 'SO5006') return new Failure(reason);
      if (error.code !== 'SO5003' && error.code !== 'SO2105') throw error;
      await this.runtime.close();
      if (error.code === 'SO2105') return new Failure(`${doing} takes too much memory: ${reason}`, true, error);
      return new Failure(`${doing} ends the ONNX Runtime process: ${reason}`, true);
    } finally {
      clearTimeout(timer);
    }
  }

  async #refer(edges: boolean): Promise<PreparedReference | Failure> {
    const fitted = await this.source();
    const { dataPath } = this.#options;
    const sources: SampleSource[] = dataPath === undefined ? [] : [{ kind: 'data', path: dataPath }];
    if (!(fitted instanceof Failure)) sources.push(fitted);
    else if (sources.length === 0) return fitted;
    if (this.#isLarge) await this.#forget('optimized');
    await this.#plain();
    let optimized = this.#isLarge ? undefined : await this.optimized();
    // Asked again: whichever ended the process took the other's session along.
    const plain = await this.#plain();
    if (plain instanceof Failure) optimized ??= await this.optimized();
    const loaded = plain instanceof Failure ? (optimized ?? plain) : plain;
    if (loaded instanceof Failure) return loaded;
    const { inputs } = this;
    const session = loaded.id;
    const samples = Math.max(SAMPLES, fitted instanceof Failure || fitted.kind === 'data' ? 0 : fitted.count);
    const result = await this.attempt('running the original', (host, watch) =>
      host.request('reference', { session, sources, inputs, samples, edges, maxMs: REFERENCE_MS }, watch),
    );
    if (!(plain instanceof Failure)) await this.#forget('plain');
    if (result instanceof Failure) return result;
    if (result.samples === 0) return new Failure(`the original does not run (${result.why ?? 'no reason given'})`);
    const warnings = [...result.warnings, ...this.#branchNotes];
    if (this.#smaller?.kind === 'seeded') warnings.push(fewerSamples(this.#smaller.count, SAMPLES));
    if (!optimized) {
      const { generation } = this.runtime;
      optimized = await this.optimized();
      // Loading it ended the process, and what the original gave is gone with it; it is not loaded a second time.
      if (this.runtime.generation !== generation) return this.#refer(edges);
    }
    if (!(optimized instanceof Failure) && this.isLive(optimized) && loaded !== optimized) {
      const { reference } = result;
      const noise = await this.attempt('running the original', (host, watch) =>
        host.request('noise', { reference, session: optimized.id, edges: !this.#optimizedEdgesAreDeadly }, watch),
      );
      if (noise instanceof Failure) {
        // The reference went with the process: it is asked for anew, and with less.
        if (this.#optimizedEdgesAreDeadly) this.#optimizedFault = noise;
        this.#optimizedEdgesAreDeadly = true;
        return this.#refer(edges);
      }
      if (noise.failed === result.samples + result.edges) this.#optimizedFault = new Failure(noise.why ?? '');
      else if (noise.failed > 0) warnings.push(someFail(noise.failed, result.samples + result.edges, noise.why));
    }
    const fault =
      plain instanceof Failure
        ? undefined
        : (this.#optimizedFault ?? (optimized instanceof Failure ? optimized : undefined));
    if (fault) warnings.push(optimizationsBreak(fault.reason));
    return {
      ...result,
      warnings,
      session: plain instanceof Failure ? OPTIMIZED_SESSION : PLAIN_SESSION,
      optimized: fault === undefined,
      plain: !(plain instanceof Failure),
    };
  }

  #plain(): Promise<LoadedSession | Failure> {
    return this.#remember('plain', () => this.load(this.#path, PLAIN_SESSION, 'original'));
  }

  /** Frees a session that is remembered, where there is one; it is loaded again when it is asked for. */
  async #forget(key: 'optimized' | 'plain'): Promise<void> {
    const session = this.#remembered.get(key)?.answer as LoadedSession | Failure | undefined;
    if (session === undefined || session instanceof Failure) return;
    this.#remembered.delete(key);
    await this.release(session);
  }

  /** Asks once a process; what ended a process once is not asked again. */
  async #remember<T>(key: string, ask: () => Promise<T | Failure>): Promise<T | Failure> {
    const known = this.#remembered.get(key);
    const holds = known?.answer instanceof Failure || known?.generation === this.runtime.generation;
    if (known && holds) return known.answer as T | Failure;
    const answer = await ask();
    this.#remembered.set(key, { answer, generation: this.runtime.generation });
    return answer;
  }
}

/** Inputs in sizes that both models take: what either has fixed is fixed. */
function commonInputs(original: readonly ValueSpec[], base: readonly ValueSpec[]): ValueSpec[] {
  const others = new Map(base.map((spec) => [spec.name, spec]));
  return original.map((spec) => {
    const other = others.get(spec.name)?.shape;
    if (!spec.shape || !other) return spec;
    return { ...spec, shape: spec.shape.map((dim, axis) => (typeof other[axis] === 'number' ? other[axis] : dim)) };
  });
}
