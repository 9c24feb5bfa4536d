import type { Model } from '../../ir/model.js';
import { matchNodes } from '../../passes/node-filter.js';

/**
 * Each pattern of `--include` and `--exclude` has to mean a node of the model as it was read.
 * @throws SO1003 with the near miss
 */
export function checkLayers(
  model: Model,
  { include = [], exclude = [] }: { readonly include?: readonly string[]; readonly exclude?: readonly string[] },
): void {
  matchNodes(model, [...include, ...exclude]);
}
