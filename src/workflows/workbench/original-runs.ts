import type { Model } from '../../ir/model.js';
import { fetchableOutputs } from '../../runtime/interface-screen.js';
import type { ReferenceResult } from '../../runtime/jobs/reference.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { SESSIONS } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';
import type { ProduceOptions } from '../options.js';
import { Failure, optimizationsBreak, someFail } from './failure.js';
import { OnceAProcess } from './once-a-process.js';
import { ORIGINAL_SAMPLES, OriginalSamples } from './original-samples.js';
import { OriginalSessions } from './original-sessions.js';
import { randomOutputs } from './random-outputs.js';

/** After this time with the original no more edge cases are added. */
const REFERENCE_MS = 3000;

/** What the original gives on samples and edge cases, kept in the child process. */
export interface PreparedReference extends ReferenceResult {
  /** How models are loaded to be compared with it. */
  readonly session: SessionOptions;
  /** Whether results are to run as ONNX Runtime optimizes them, too: not where its optimizations break the original. */
  readonly optimized: boolean;
  /** False where only ONNX Runtime's optimizations make the original loadable: then nothing is equal bit for bit. */
  readonly plain: boolean;
}

/** The original in ONNX Runtime: loaded and run when something is asked, once for each child process. */
export class OriginalRuns {
  readonly sessions: OriginalSessions;
  readonly samples: OriginalSamples;
  /** What callers must feed, open sizes as they are in the result. */
  readonly inputs: readonly ValueSpec[];
  /** Outputs that ONNX Runtime for Node cannot hand over. */
  readonly notCompared: readonly string[];
  /** Outputs whose values are random. */
  readonly random: readonly string[];
  readonly #dataPath: string | undefined;
  readonly #known: OnceAProcess;
  #edgesAreDeadly = false;
  #optimizedEdgesAreDeadly = false;

  /**
   * @param base the model that candidates are made of: what it has fixed of the inputs is fed so
   * @param silenceMs see `OriginalSessions`
   */
  constructor(
    runtime: LazyRuntime,
    original: Model,
    base: Model,
    path: string,
    options: ProduceOptions,
    silenceMs?: number,
  ) {
    this.sessions = new OriginalSessions(runtime, original, path, options, silenceMs);
    this.inputs = commonInputs(inputSpecs(original), inputSpecs(base));
    this.samples = new OriginalSamples(this.sessions, original, this.inputs, options);
    const outputs = outputSpecs(original);
    const fetchable = new Set(fetchableOutputs(outputs));
    this.notCompared = outputs.flatMap(({ name }) => (fetchable.has(name) ? [] : [name]));
    this.random = [...randomOutputs(original)].filter((name) => fetchable.has(name));
    this.#dataPath = options.dataPath;
    this.#known = new OnceAProcess(runtime);
  }

  /** What the original gives; on samples alone where edge cases end the process or do not end themselves. */
  reference(): Promise<PreparedReference | Failure> {
    return this.#known.remember('reference', async () => {
      const full = this.#edgesAreDeadly ? undefined : await this.#refer(true);
      if (full && !(full instanceof Failure && full.died)) return full;
      this.#edgesAreDeadly = true;
      return this.#refer(false);
    });
  }

  /** Takes fewer or smaller synthetic samples from now on. @returns false where there are none that are smaller */
  async takeSmallerSamples(): Promise<boolean> {
    const taken = await this.samples.takeSmaller();
    if (taken) this.#known.forget('reference');
    return taken;
  }

  async #refer(edges: boolean): Promise<PreparedReference | Failure> {
    const { sessions, inputs } = this;
    const fitted = await this.samples.source();
    const sources: SampleSource[] = this.#dataPath === undefined ? [] : [{ kind: 'data', path: this.#dataPath }];
    if (!(fitted instanceof Failure)) sources.push(fitted);
    else if (sources.length === 0) return fitted;
    if (sessions.isLarge) await sessions.free('optimized');
    await sessions.bare();
    let optimized = sessions.isLarge ? undefined : await sessions.optimized();
    // Asked again: whichever ended the process took the other's session along.
    const bare = await sessions.bare();
    if (bare instanceof Failure) optimized ??= await sessions.optimized();
    const loaded = bare instanceof Failure ? (optimized ?? bare) : bare;
    if (loaded instanceof Failure) return loaded;
    const session = loaded.id;
    const samples = Math.max(ORIGINAL_SAMPLES, fitted instanceof Failure || fitted.kind === 'data' ? 0 : fitted.count);
    const result = await sessions.attempt('running the original', (host, watch) =>
      host.request('reference', { session, sources, inputs, samples, edges, maxMs: REFERENCE_MS }, watch),
    );
    if (!(bare instanceof Failure)) await sessions.free('bare');
    if (result instanceof Failure) return result;
    if (result.samples === 0) return new Failure(`the original does not run (${result.why ?? 'no reason given'})`);
    const warnings = [...result.warnings, ...this.samples.warnings];
    if (!optimized) {
      const { generation } = sessions.runtime;
      optimized = await sessions.optimized();
      // Loading it ended the process, and what the original gave is gone with it; it is not loaded a second time.
      if (sessions.runtime.generation !== generation) return this.#refer(edges);
    }
    if (!(optimized instanceof Failure) && sessions.isLive(optimized) && loaded !== optimized) {
      const failing = await this.#whereOptimizedFails(optimized.id, result);
      // The reference went with the process: it is asked for anew, and with less.
      if (failing instanceof Failure) return this.#refer(edges);
      warnings.push(...failing);
    }
    const fault = sessions.optimizedFault ?? (optimized instanceof Failure ? optimized : undefined);
    const breaks = bare instanceof Failure ? undefined : fault;
    if (breaks) warnings.push(optimizationsBreak(breaks.reason));
    return {
      ...result,
      warnings,
      session: bare instanceof Failure ? SESSIONS.timed : SESSIONS.bare,
      optimized: breaks === undefined,
      plain: !(bare instanceof Failure),
    };
  }

  /** Keeps what the original differs by from itself as ONNX Runtime optimizes it. @returns warnings where it fails on some inputs */
  async #whereOptimizedFails(
    session: number,
    { reference, samples, edges }: ReferenceResult,
  ): Promise<string[] | Failure> {
    const noise = await this.sessions.attempt('running the original', (host, watch) =>
      host.request('noise', { reference, session, edges: !this.#optimizedEdgesAreDeadly }, watch),
    );
    if (noise instanceof Failure) {
      if (this.#optimizedEdgesAreDeadly) this.sessions.giveUpOptimized(noise);
      this.#optimizedEdgesAreDeadly = true;
      return noise;
    }
    const runs = samples + edges;
    if (noise.failed === runs) this.sessions.giveUpOptimized(new Failure(noise.why ?? ''));
    else if (noise.failed > 0) return [someFail(noise.failed, runs, noise.why)];
    return [];
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
