import type { Model } from '../../ir/model.js';
import type { PruneCost } from '../../report/prune-types.js';
import type { PruneOptions } from '../options.js';
import { statedCost } from '../stated-cost.js';
import { parameterCount, storedTensors } from '../stored-tensors.js';

/** What a model costs at the sizes of `--dim`. */
export interface ModelSize extends PruneCost {
  readonly sizes: readonly { readonly name: string; readonly size: number }[];
}

/** Counts on a copy: types are inferred for it. */
export function modelSize(model: Model, { dims }: PruneOptions): ModelSize {
  const { cost, sizes } = statedCost(model.clone(), dims);
  return { parameters: parameterCount(storedTensors(model)), macs: cost.macs, sizes };
}
