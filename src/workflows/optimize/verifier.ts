import { ServeOptError } from '../../errors.js';
import type { OutputAgreement, Tolerance } from '../../evaluate/equality.js';
import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import { assertUsable } from '../../ir/usable.js';
import { verifyModel } from '../../ir/verify.js';
import { collectGarbage } from '../../machine/collect-garbage.js';
import type { CheckResult } from '../../runtime/jobs/check.js';
import { SESSIONS } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import { Failure, type LoadedSession } from '../workbench/failure.js';
import type { OriginalRuns, PreparedReference } from '../workbench/original-runs.js';
import { interfaceOf, type ModelInterface, whyInterfaceDiffers } from './interface-check.js';
import { toleranceOf } from './tolerance.js';

/** How far the check of a result goes. */
export type CheckDepth =
  /** Structure and interface, nothing run. */
  | 'structure'
  /** Loaded and run node by node, beside the original. */
  | 'plain'
  /** And as ONNX Runtime optimizes it. */
  | 'optimized';

/** What a check of a result came to. */
export interface Verdict {
  /** What is wrong with it, one sentence; undefined when nothing is. */
  readonly wrong?: string;
  /** How far the check had come when it found that. */
  readonly depth: CheckDepth;
  /** Why it was not run at all, although nothing is known to be wrong. */
  readonly notRun?: string;
  /** It was not run, but ONNX Runtime loaded it. */
  readonly loads?: boolean;
  readonly reference?: PreparedReference;
  readonly outputs?: readonly OutputAgreement[];
  /** Edge cases that it was right on. */
  readonly edges?: number;
  /** Session of the result as a server would run it, where the check came so far: the caller releases it. */
  readonly session?: LoadedSession;
}

/** What outputs may differ by, of sessions without and with ONNX Runtime's own optimizations. */
interface Tolerances {
  readonly plain: Tolerance;
  readonly optimized: Tolerance;
}

/** Tells whether a written model is what the original is. */
export class Verifier {
  readonly #interface: ModelInterface;
  readonly #original: OriginalRuns | undefined;
  readonly #base: Model;
  /** By how many operations in a row were merged: finding the narrowest type of a model takes a look at all its values. */
  readonly #tolerances: Map<number, Tolerance> = new Map();

  /**
   * @param base the model that passes start from: its narrowest type decides what rounding may do
   * @param wanted the interface that results must have
   * @param original undefined when nothing is to be run
   */
  constructor(base: Model, wanted: ModelInterface, original: OriginalRuns | undefined) {
    this.#interface = wanted;
    this.#original = original;
    this.#base = base;
  }

  #tolerance(inARow: number): Tolerance {
    const known = this.#tolerances.get(inARow);
    if (known) return known;
    const tolerance = toleranceOf(this.#base, false, inARow);
    this.#tolerances.set(inARow, tolerance);
    return tolerance;
  }

  /**
   * Checks a file. @param exact whether only changes that keep outputs bit for bit were made
   * @param inARow how many operations in a row became one, at most
   * @throws SO2105 where the memory that is allowed does not suffice to run it
   */
  async check(path: string, exact: boolean, depth: CheckDepth, inARow = 1): Promise<Verdict> {
    const isLarge = this.#original?.sessions.isLarge ?? false;
    if (isLarge) collectGarbage();
    const unsound = await this.#whyUnsound(path);
    if (unsound !== undefined) return { wrong: unsound, depth: 'structure' };
    const original = this.#original;
    if (!original || depth === 'structure') return { depth: 'structure' };
    // The result that was read back, before the child process takes as much.
    if (isLarge) collectGarbage();
    const tolerances = {
      plain: exact ? toleranceOf(this.#base, true) : this.#tolerance(inARow),
      optimized: this.#tolerance(inARow),
    };
    const verdict = await this.#runWhatFits(original, path, tolerances, depth);
    // A process may end for reasons of its own, such as a system without memory: a result is not blamed for it at once.
    return verdict.died ? this.#runWhatFits(original, path, tolerances, depth) : verdict;
  }

  /** Runs both, on fewer and smaller synthetic samples where these take more memory than is allowed. @throws SO2105 */
  async #runWhatFits(
    original: OriginalRuns,
    path: string,
    tolerances: Tolerances,
    depth: 'plain' | 'optimized',
  ): Promise<Verdict & { readonly died?: boolean }> {
    for (;;) {
      try {
        return await this.#runAll(original, path, tolerances, depth);
      } catch (error) {
        const isMemory = error instanceof ServeOptError && error.code === 'SO2105';
        if (!isMemory || !(await original.takeSmallerSamples())) throw error;
      }
    }
  }

  /**
   * Where the original cannot be run, the result has to load at least where the original does.
   * @throws SO2105: that there is too little memory is no word on a result
   */
  async #notRun(
    original: OriginalRuns,
    path: string,
    { reason, memory, timedOut }: Failure,
  ): Promise<Verdict & { readonly died?: boolean }> {
    if (memory) throw memory;
    if (timedOut) return { depth: 'structure', notRun: reason };
    const { loads, wrong } = await original.sessions.whyNotLoaded(path);
    if (!wrong) return { depth: 'structure', notRun: reason, loads };
    if (wrong.memory) throw wrong.memory;
    return { wrong: `it does not load, but the original does: ${wrong.reason}`, died: wrong.died, depth: 'plain' };
  }

  async #runAll(
    original: OriginalRuns,
    path: string,
    tolerances: Tolerances,
    depth: 'plain' | 'optimized',
  ): Promise<Verdict & { readonly died?: boolean }> {
    const reference = await original.reference();
    if (reference instanceof Failure) return this.#notRun(original, path, reference);
    const tolerance = reference.plain ? tolerances.plain : tolerances.optimized;
    const plain = await this.#run(original, path, reference, reference.session, tolerance, true);
    if (plain instanceof Failure && plain.memory) throw plain.memory;
    if (plain instanceof Failure) return { wrong: plain.reason, died: plain.died, depth: 'plain', reference };
    const samples = reference.samples - plain.skipped.samples;
    const passed: Verdict = {
      depth,
      reference: { ...reference, samples },
      outputs: plain.outputs,
      edges: plain.runs - samples,
    };
    if (depth === 'plain') {
      await original.sessions.release(plain.session);
      return passed;
    }
    if (!reference.plain) return { ...passed, session: plain.session };
    await original.sessions.release(plain.session);
    if (!reference.optimized) return passed;
    const optimized = await this.#run(original, path, reference, SESSIONS.timed, tolerances.optimized, false);
    if (!(optimized instanceof Failure)) return { ...passed, session: optimized.session };
    if (optimized.memory) throw optimized.memory;
    const wrong = `as ONNX Runtime optimizes it, ${optimized.reason}`;
    return { wrong, died: optimized.died, depth: 'optimized', reference };
  }

  /** Frees the session of a verdict. */
  async release(session: LoadedSession): Promise<void> {
    await this.#original?.sessions.release(session);
  }

  async #run(
    original: OriginalRuns,
    path: string,
    { reference }: PreparedReference,
    options: SessionOptions,
    tolerance: Tolerance,
    edges: boolean,
  ): Promise<(CheckResult & { readonly session: LoadedSession }) | Failure> {
    const session = await original.sessions.load(path, options, 'result');
    if (session instanceof Failure) return session;
    const result = await original.sessions.attempt('running the result', (host, watch) =>
      host.request(
        'check',
        { reference, session: session.id, tolerance, edges, optimized: !edges, random: original.random },
        watch,
      ),
    );
    if (!(result instanceof Failure) && result.wrong === undefined) return { ...result, session };
    await original.sessions.release(session);
    return result instanceof Failure ? result : new Failure(result.wrong ?? '');
  }

  /** Reads the file as a stranger would. */
  async #whyUnsound(path: string): Promise<string | undefined> {
    let model: Model | undefined;
    try {
      // The weights of a model that is only tried stand in links to the original.
      model = await readModel(path, { allowLinks: true });
      assertUsable(model);
      const [problem] = verifyModel(model);
      return problem?.message ?? whyInterfaceDiffers(this.#interface, interfaceOf(model));
    } catch (error) {
      if (error instanceof ServeOptError && error.exitCode === 3) return error.message;
      throw error;
    } finally {
      model?.source?.close();
    }
  }
}
