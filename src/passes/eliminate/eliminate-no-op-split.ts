import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match } from '../engine/rewrite.js';
import { passThrough } from './pass-through.js';

/**
 * Split into one part.
 *
 * Fires when the node has one output, which is then the whole input. Numerics: exact.
 */
export const eliminateNoOpSplit = defineRewrite<object>({
  name: 'eliminate-no-op-split',
  summary: 'Removes Split into one part.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Split'],
  rules: () => ({ match: matchSplit }),
});

function matchSplit(node: Node): Match {
  const input = node.input(0);
  const [output, ...rest] = node.outputs;
  return input && output && rest.length === 0 ? passThrough(node, input, output) : undefined;
}
