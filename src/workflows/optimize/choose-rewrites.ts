import { ServeOptError } from '../../errors.js';
import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import type { TransformStepReport } from '../../ir/transform.js';
import type { Numerics } from '../../passes/pass.js';
import type { DroppedRewriteReport } from '../../report/types.js';
import { SESSIONS } from '../../runtime/session-options.js';
import type { InContext, OptimizeOptions } from '../options.js';
import { invalidModel } from '../preflight/model.js';
import type { CandidateModel, CheckOutcome } from '../produce/model-command.js';
import type { Stages } from '../stages.js';
import { Failure } from '../workbench/failure.js';
import type { OriginalRuns } from '../workbench/original-runs.js';
import { type Repaired, repair } from './bisect.js';
import type { Optimized, Pipeline } from './pipeline.js';
import type { SpeedGate, SpeedVerdict } from './speed-gate.js';
import { mergedInARow } from './tolerance.js';
import type { Verdict, Verifier } from './verifier.js';

/** What choosing needs. */
export interface ChoiceContext {
  readonly model: Model;
  readonly options: InContext<OptimizeOptions>;
  readonly stages: Stages;
  readonly pipeline: Pipeline;
  readonly requested: readonly TransformStepReport[];
  readonly verifier: Verifier;
  /** Undefined when nothing is to be run. */
  readonly original: OriginalRuns | undefined;
  /** Undefined when it is switched off. */
  readonly gate: SpeedGate | undefined;
  readonly verify: boolean;
  /** Why nothing can be run to measure it, where that is known beforehand. */
  readonly whyNotMeasured: string | undefined;
}

/** A result that is written and looked at. */
export interface OptimizeCandidate extends CandidateModel {
  /** Undefined when it is the original byte for byte. */
  readonly optimized: Optimized | undefined;
}

/** Why what is handed over is what it is. */
export interface Choice {
  /** Undefined of the original byte for byte. */
  readonly verdict: Verdict | undefined;
  readonly isExact: boolean;
  readonly dropped: readonly DroppedRewriteReport[];
  readonly speed: SpeedVerdict | undefined;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Optimizes, checks and measures what was written; what is wrong or slow is left out and the rest tried again, until a result
 * is right and does not lose.
 */
export class RewriteChooser {
  readonly #context: ChoiceContext;
  readonly #dropped: DroppedRewriteReport[] = [];
  readonly #warnings: string[] = [];
  readonly #notes: string[] = [];
  #speed: SpeedVerdict | undefined;
  /** Why nothing more is run. */
  #unstable: string | undefined;
  /** True once looking for wrong rewrites took too long: it gets no more time than it must have then. */
  #hasEnded = false;

  constructor(context: ChoiceContext) {
    this.#context = context;
  }

  /** All rewrites that the budget for growth lets pass. @throws SO3004 for an original that ONNX Runtime refuses */
  async first(): Promise<OptimizeCandidate> {
    const { pipeline, stages, model, whyNotMeasured } = this.#context;
    if (whyNotMeasured !== undefined) this.#warnings.push(`The speed was not measured: ${whyNotMeasured}.`);
    stages.start('optimize');
    let optimized = await pipeline.runWithinBudget();
    stages.end(`${countModel(model).nodes} → ${countModel(optimized?.model ?? model).nodes} nodes`);
    if (!optimized) {
      this.#notes.push('The optimized file would have grown more than --max-growth allows.');
      optimized = await pipeline.run({ limit: 0 });
    }
    await this.#refuseInvalid();
    return this.#candidate(optimized);
  }

  /** Checks and measures what was written: it stands, or something else is to be tried. */
  async check({ optimized }: OptimizeCandidate, stagedPath: string): Promise<CheckOutcome<OptimizeCandidate, Choice>> {
    if (!optimized) return { verdict: this.#choice(undefined, true) };
    const { verifier, stages, verify } = this.#context;
    const runs = verify && this.#unstable === undefined;
    stages.start(runs ? 'verify' : 'check');
    const depth = runs ? 'optimized' : 'structure';
    const verdict = await verifier.check(stagedPath, this.#isExact(optimized), depth, this.#inARow(optimized));
    if (verdict.wrong !== undefined) return { next: this.#candidate(await this.#repaired(optimized, verdict)) };
    const { reference } = verdict;
    stages.end(reference ? `${reference.samples} samples, ${verdict.edges ?? 0} edge cases` : 'structure');
    const told = this.#unstable === undefined ? verdict : { ...verdict, notRun: this.#unstable };
    const faster = await this.#faster(optimized, stagedPath, verdict);
    if (faster) return { next: this.#candidate(faster) };
    return { verdict: this.#choice(told, this.#isExact(optimized)) };
  }

  #candidate(optimized: Optimized): OptimizeCandidate {
    const { model, requested } = this.#context;
    const untouched = optimized.outcome.applied.length === 0 && requested.length === 0;
    // With data files there are no bytes to keep: they are laid out anew.
    const hasBytes = (model.source?.externalPaths().length ?? 0) === 0;
    return untouched && hasBytes ? { model, optimized: undefined } : { model: optimized.model, optimized };
  }

  #choice(verdict: Verdict | undefined, isExact: boolean): Choice {
    return {
      verdict,
      isExact,
      dropped: this.#dropped,
      speed: this.#speed,
      warnings: this.#warnings,
      notes: this.#notes,
    };
  }

  /** @throws SO3004 for an original that ONNX Runtime refuses as invalid, unless such are allowed */
  async #refuseInvalid(): Promise<void> {
    const { original, verify, options } = this.#context;
    if (!original || !verify || options.allowInvalid) return;
    const refusal = await original.sessions.whyInvalid();
    if (refusal !== undefined) throw invalidModel(refusal);
  }

  async #repaired(optimized: Optimized, verdict: Verdict): Promise<Optimized> {
    const { pipeline, verifier, stages, requested } = this.#context;
    stages.end('wrong: searching for the rewrite');
    stages.start('bisect');
    const isExact = (each: Optimized): boolean => this.#isExact(each);
    const isRounding = (pass: string): boolean => this.#hasNumerics(pass, 'reassociates');
    const searchMs = this.#hasEnded ? { searchMs: 0 } : {};
    const found: Repaired = await repair(
      { pipeline, verifier, stages, isExact, inARow: (each) => this.#inARow(each), isRounding, ...searchMs },
      optimized,
      verdict,
    );
    stages.end(`${found.dropped.length} left out`);
    if (found.unstable !== undefined) {
      const [first] = requested;
      if (first) {
        throw new ServeOptError('SO3101', `${first.name} changes what the model computes`, {
          why: found.unstable,
        });
      }
      this.#unstable = found.unstable;
      return optimized;
    }
    this.#dropped.push(...found.dropped);
    if (found.kept) {
      const { first, of } = found.kept;
      this.#hasEnded = true;
      if (first > 0)
        this.#warnings.push(
          `The search for wrong rewrites was stopped early: only the first ${first} of ${of} rewrites, which are verified, were kept.`,
        );
    }
    if (found.optimized) return found.optimized;
    this.#warnings.push('The wrong rewrites could not be identified: the output is the unchanged model.');
    return pipeline.run({ limit: 0 });
  }

  /** Another result where this one is clearly slower than the original; undefined where it stands. */
  async #faster(optimized: Optimized, stagedPath: string, verdict: Verdict): Promise<Optimized | undefined> {
    const { gate, original, pipeline, stages, verifier } = this.#context;
    const untimed = verdict.notRun !== undefined || original?.sessions.optimizedFault !== undefined;
    if (!gate || !original || this.#speed || untimed) {
      if (verdict.session !== undefined) await verifier.release(verdict.session);
      return undefined;
    }
    stages.start('measure');
    const session = verdict.session ?? (await original.sessions.load(stagedPath, SESSIONS.timed, 'result'));
    const speed = session instanceof Failure ? session.reason : await gate.judge(optimized, session);
    if (!(session instanceof Failure)) await original.sessions.release(session);
    stages.end();
    if (typeof speed === 'string') {
      this.#warnings.push(`The speed was not measured: ${speed}.`);
      return undefined;
    }
    this.#speed = speed;
    if (speed.hopeless) {
      this.#notes.push('The optimized model is slower on this machine, whichever rewrites are left out.');
      return pipeline.run({ limit: 0 });
    }
    if (speed.slower.length === 0) return undefined;
    for (const { pass } of speed.slower) pipeline.drop(pass);
    return (await pipeline.runWithinBudget()) ?? pipeline.run({ limit: 0 });
  }

  #hasNumerics(pass: string, numerics: Numerics): boolean {
    return passesOf(this.#context.pipeline, numerics).has(pass);
  }

  #inARow({ outcome }: Optimized): number {
    const rounding = passesOf(this.#context.pipeline, 'reassociates');
    return mergedInARow(outcome.applied, (pass) => rounding.has(pass));
  }

  #isExact({ outcome }: Optimized): boolean {
    const { pipeline, requested } = this.#context;
    const exact = passesOf(pipeline, 'exact');
    return (
      requested.every(({ name }) => EXACT_REQUESTS.has(name)) && outcome.applied.every(({ pass }) => exact.has(pass))
    );
  }
}

/** The passes of a recipe that change outputs this much. */
function passesOf({ recipe }: Pipeline, numerics: Numerics): Set<string> {
  return new Set(
    recipe.flatMap(({ pass: { definition } }) => (definition.numerics === numerics ? [definition.name] : [])),
  );
}

/** Requested changes that keep outputs bit for bit. */
const EXACT_REQUESTS: ReadonlySet<string> = new Set(['set-dims', 'make-dynamic']);
