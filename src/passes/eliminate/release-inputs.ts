import type { Node } from '../../ir/node.js';
import { dropIfUnused } from '../constants.js';
import { removeUnused } from '../nodes.js';

/** Changes the inputs of a node, or replaces it, then removes what computed those that nobody reads any more. */
export function releaseInputs<T>(node: Node, change: () => T): T {
  const before = new Set(node.inputs);
  const result = change();
  for (const value of before) {
    if (!value) continue;
    if (value.producer && !value.producer.is('Constant')) removeUnused(value.producer);
    else dropIfUnused(value);
  }
  return result;
}
