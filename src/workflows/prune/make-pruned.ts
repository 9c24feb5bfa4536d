import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { CandidateModel } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { cutStructured, type StructuredCut } from './structured.js';
import { type SparseModel, zeroSmallest } from './unstructured.js';

/** A pruned model: cut, or with weights that are zero. */
export interface PruneCandidate extends CandidateModel {
  readonly cut?: StructuredCut;
  readonly sparse?: SparseModel;
}

export async function makePruned({ model, options, stages }: ModelRun<PruneOptions>): Promise<PruneCandidate> {
  stages.start('prune');
  if ((options.method ?? PRUNE_DEFAULTS.method) === 'magnitude') {
    const sparse = zeroSmallest(model, options);
    stages.end(`${sparse.weights.filter(({ zeros }) => zeros > 0).length} layers`);
    return { model: sparse.model, sparse };
  }
  const cut = await cutStructured(model, options);
  stages.end(`${cut.groups.filter(({ units, kept }) => kept < units).length} groups`);
  return { model: cut.model, cut };
}
