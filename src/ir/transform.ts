import { ServeOptError } from '../errors.js';
import type { Model } from './model.js';
import { uniquifyNodeNames } from './node-names.js';
import { allNodes } from './walk.js';

/** What a pass left alone, and why. `node` is a node name (or its first output's name when unnamed). */
export interface Refusal {
  readonly pass: string;
  readonly node: string;
  readonly opType: string;
  readonly reason: string;
}

export interface TransformResult {
  /** Number of rewrites made; 0 means the model is as it was. */
  readonly changed: number;
  readonly refusals?: readonly Refusal[];
  /** Facts worth telling a user, for example `3 weights clamped to the FLOAT16 range`. */
  readonly notes?: readonly string[];
}

export interface TransformContext {
  readonly signal?: AbortSignal;
  /** Called when a step begins. */
  readonly onStep?: (name: string) => void;
}

/** A pass ready to run. `definePass` makes them. */
export interface Transform {
  readonly name: string;
  run(model: Model, context: TransformContext): TransformResult | Promise<TransformResult>;
}

/** A pass, or any function of the model: what it gives back is awaited and not looked at. */
export type TransformStep = Transform | ((model: Model) => unknown);

export interface TransformStepReport {
  readonly name: string;
  readonly changed: number;
  readonly durationMs: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
}

export interface TransformReport {
  readonly steps: readonly TransformStepReport[];
}

function countNodes(model: Model): number {
  let count = 0;
  for (const _ of allNodes(model)) count++;
  return count;
}

/** Runs steps in order on `model`, in place. @throws SO8130 when the signal is aborted between steps. */
export async function runTransforms(
  model: Model,
  steps: readonly TransformStep[],
  context: TransformContext,
): Promise<TransformReport> {
  const reports: TransformStepReport[] = [];
  for (const step of steps) {
    if (context.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    const name = typeof step === 'function' ? step.name || 'function' : step.name;
    context.onStep?.(name);
    const nodesBefore = countNodes(model);
    const start = performance.now();
    const result: TransformResult =
      typeof step === 'function'
        ? await Promise.resolve(step(model)).then(() => ({ changed: 0 }))
        : await step.run(model, context);
    if (result.changed > 0) uniquifyNodeNames(model);
    reports.push({
      name,
      changed: result.changed,
      durationMs: performance.now() - start,
      nodesBefore,
      nodesAfter: countNodes(model),
      refusals: result.refusals ?? [],
      notes: result.notes ?? [],
    });
  }
  return { steps: reports };
}
