import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { ModelRun } from '../produce/model-run.js';
import type { PruneWork } from './before-work.js';
import { makeLayers } from './layers/make-layers.js';
import { makeStructured } from './make-structured.js';
import type { PruneCandidate } from './prune-candidate.js';
import { pruneInOrder } from './prune-in-order.js';
import { isUnstructured, zeroSmallest } from './unstructured.js';

/** Prunes a copy of the model: cuts units, drops blocks, or sets weights to zero. */
export async function makePruned(run: ModelRun<PruneOptions>, work: PruneWork): Promise<PruneCandidate> {
  const method = run.options.method ?? PRUNE_DEFAULTS.method;
  if (isUnstructured(method)) return makeSparse(run, work, run.options.amount ?? PRUNE_DEFAULTS.amount);
  return method === 'layers' ? makeLayers(run, work) : makeStructured(run, work);
}

/** @param amount of each layer's weights */
async function makeSparse(run: ModelRun<PruneOptions>, work: PruneWork, amount: number): Promise<PruneCandidate> {
  const { model, stages } = run;
  const options = run.options.pattern === undefined ? { ...run.options, amount } : run.options;
  const { runtime, split } = work;
  const { method = PRUNE_DEFAULTS.method } = options;
  const samples = split.calibration && { kind: 'data' as const, ...split.calibration };
  stages.start('prune');
  const sparse =
    method === 'magnitude' || !runtime || !samples
      ? zeroSmallest(model, options)
      : await pruneInOrder(
          model,
          method,
          { sources: [samples], runtime: await runtime.host(), memoryBytes: run.memoryBytes, options },
          stages,
        );
  stages.end(`${sparse.weights.filter(({ zeros }) => zeros > 0).length} layers`);
  const again = (less: number): Promise<PruneCandidate> => makeSparse(run, work, less);
  return { model: sparse.model, sparse, ...(options.pattern === undefined ? { less: { amount, again } } : {}) };
}
