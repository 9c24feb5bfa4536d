import type { Model } from '../../ir/model.js';
import { pruneMagnitude } from '../../passes/prune/prune-magnitude.js';
import type { SparseWeightReport } from '../../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneMethod, type PruneOptions } from '../options.js';

/** Whether a method sets single weights to zero. */
export function isUnstructured(method: PruneMethod): boolean {
  return method === 'magnitude' || method === 'obs' || method === 'wanda';
}

/** A model some of whose weights are zero. */
export interface SparseModel {
  readonly model: Model;
  readonly weights: readonly SparseWeightReport[];
}

/** Sets weights of a copy to zero. @throws SO3101 where there are none, SO1003 for a layer that is not there */
export function zeroSmallest(model: Model, options: PruneOptions): SparseModel {
  const copy = model.clone();
  const { amount = PRUNE_DEFAULTS.amount, global, pattern, include, exclude } = options;
  const rows = pruneMagnitude(copy, { amount, global, pattern, include, exclude });
  return { model: copy, weights: rows.map(({ weight: _weight, ...row }) => row) };
}
