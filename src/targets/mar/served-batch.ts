import type { Dim } from '../../ir/type.js';
import type { ValueSpec } from '../../samples/types.js';
import type { MarFacts } from './mar-facts.js';

/**
 * How requests reach the model. `open`: together, along the first dimension. `one`: alone, with a first dimension of 1
 * that a request may leave out. `whole`: alone, with the shapes of the model.
 */
export interface ServedBatch {
  readonly kind: 'open' | 'one' | 'whole';
  /** Why requests do not run together. */
  readonly why?: string;
}

/** Requests run together where the first dimension of every input and output is one open dimension. */
export function servedBatch({ inputs, outputs, dependsOnBatch }: MarFacts): ServedBatch {
  const tensors = [...inputs, ...outputs.filter(({ dataType }) => dataType !== undefined)];
  if (inputs.length === 0) return { kind: 'whole', why: 'the model has no inputs' };
  const without = tensors.find(({ shape }) => shape === undefined || shape.length === 0);
  if (without) {
    const what = without.shape === undefined ? 'has no known rank' : 'is a scalar';
    return { kind: 'whole', why: `"${without.name}" ${what}` };
  }
  if (tensors.every((each) => firstDim(each) === 1)) return { kind: 'one', why: 'the batch is fixed at 1' };
  const fixed = tensors.find((each) => typeof firstDim(each) === 'number');
  if (fixed) return { kind: 'whole', why: `the first dimension of "${fixed.name}" is fixed at ${firstDim(fixed)}` };
  const [first] = tensors;
  const other = tensors.find((each) => firstDim(each) !== (first && firstDim(first)));
  if (first && other) {
    return { kind: 'whole', why: `"${first.name}" and "${other.name}" begin with different open dimensions` };
  }
  const mixed = outputs.find(({ shape }) => shape?.slice(1).some((dim) => mentions(dim, first && firstDim(first))));
  if (mixed) return { kind: 'one', why: `"${mixed.name}" has the batch in more than its first dimension` };
  if (dependsOnBatch) {
    return { kind: 'one', why: 'its dynamic quantization takes one scale from all samples of a run' };
  }
  return { kind: 'open' };
}

function firstDim({ shape }: ValueSpec): Dim {
  return shape?.[0];
}

/** Whether an open dimension is the batch, or computed from it. */
function mentions(dim: Dim, batch: Dim): boolean {
  return typeof dim === 'string' && typeof batch === 'string' && dim.split(/[^\w.]+/).includes(batch);
}
