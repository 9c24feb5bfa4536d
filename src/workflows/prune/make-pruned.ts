import type { Model } from '../../ir/model.js';
import { optimizeGraph } from '../../passes/optimize-graph.js';
import type { CutCheckReport, RepairReport } from '../../report/prune-types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../samples/types.js';
import { type InContext, PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { CandidateModel } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import type { Stages } from '../stages.js';
import { activationScores } from './activation-scores.js';
import type { PruneWork } from './before-work.js';
import { checkCut } from './check-cut.js';
import { closerOf } from './closer-of.js';
import { pruneInOrder } from './prune-in-order.js';
import { repairLayers } from './repair.js';
import { cutStructured, type Measure, type StructuredCut } from './structured.js';
import { isUnstructured, type SparseModel, zeroSmallest } from './unstructured.js';

/** A cut, what was checked of it, and what a repair gave. */
export interface FinishedCut extends Pick<StructuredCut, 'amount' | 'groups' | 'whole'> {
  readonly checked?: CutCheckReport;
  readonly repair: readonly RepairReport[];
  readonly warnings: readonly string[];
}

/** A pruned model: cut, or with weights that are zero. */
export interface PruneCandidate extends CandidateModel {
  readonly cut?: FinishedCut;
  readonly sparse?: SparseModel;
}

/** Prunes a copy of the model; a cut is checked against zeros, then repaired where there is data. */
export async function makePruned(run: ModelRun<PruneOptions>, work: PruneWork): Promise<PruneCandidate> {
  const { model, options, stages } = run;
  stages.start('prune');
  const { runtime, split } = work;
  const samples = split.calibration && { kind: 'data' as const, ...split.calibration };
  const method = options.method ?? PRUNE_DEFAULTS.method;
  if (isUnstructured(method)) {
    const sparse =
      method === 'magnitude' || !runtime || !samples
        ? zeroSmallest(model, options)
        : await pruneInOrder(model, method, samples, await runtime.host(), options, stages);
    stages.end(`${sparse.weights.filter(({ zeros }) => zeros > 0).length} layers`);
    return { model: sparse.model, sparse };
  }
  const measure: Measure | undefined =
    runtime && samples
      ? async (base, dependencies, groups) =>
          activationScores(base, dependencies, groups, samples, await runtime.host(), options)
      : undefined;
  const cut = await cutStructured(model, options, measure);
  stages.end(`${cut.groups.filter(({ units, kept }) => kept < units).length} groups`);
  const outcome = runtime && (await checkCut(cut, split.judging, runtime, options, stages));
  const repaired =
    runtime && samples ? await repairCut(cut, samples, split.judging, runtime, options, stages) : undefined;
  const result = repaired?.model ?? cut.model;
  await optimizeGraph(result, { level: 'basic' });
  const { amount, groups, whole } = cut;
  return {
    model: result,
    cut: {
      amount,
      groups,
      whole,
      ...(typeof outcome === 'object' ? { checked: outcome } : {}),
      repair: repaired?.repair ?? [],
      warnings: [
        ...(typeof outcome === 'string' ? [`The cut was not checked against zeros: ${outcome}.`] : []),
        ...(repaired?.warnings ?? []),
      ],
    },
  };
}

/** The cut model with its layers fitted anew, where that brings its outputs closer to those of the original. */
async function repairCut(
  cut: StructuredCut,
  fitted: SampleSource,
  heldOut: SampleSource,
  runtime: LazyRuntime,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<{ readonly model: Model; readonly repair: readonly RepairReport[]; readonly warnings: readonly string[] }> {
  const repairedModel = cut.model.clone();
  const host = await runtime.host();
  const repair = await repairLayers(
    {
      original: cut.base,
      pruned: repairedModel,
      dependencies: cut.dependencies,
      kept: cut.kept,
      fitted,
      heldOut,
    },
    host,
    options,
    stages,
  );
  const better = await closerOf(cut.base, [cut.model, repairedModel], heldOut, host, options, stages);
  if (better === 1) return { model: repairedModel, repair, warnings: [] };
  const left = 'the outputs of the whole network were no closer to the original with the repair';
  return {
    model: cut.model,
    repair: repair.map((each) => ({ ...each, left })),
    warnings: [`The repair is left out: on held-out samples, ${left}.`],
  };
}
