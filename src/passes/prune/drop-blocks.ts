import { bug } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { ResidualBlock } from '../../prune/residual-blocks.js';

/**
 * A copy without some residual blocks: each of their sums hands on its input instead. Nodes that nothing needs any more are
 * still there.
 * @param blocks of `model`
 */
export function withoutBlocks(model: Model, blocks: Iterable<ResidualBlock>): Model {
  const copy = model.clone();
  for (const { sum, slot } of blocks) {
    const twin = copy.graph.values.get(sum.output().name)?.producer;
    const kept = twin?.input(slot);
    if (!twin || !kept) throw bug('a copy of a model has no counterpart of a sum');
    twin.setInputs([kept]);
    twin.opType = 'Identity';
  }
  return copy;
}
