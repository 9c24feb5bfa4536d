import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match } from '../engine/rewrite.js';
import { rankOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Transpose that keeps every axis in place.
 *
 * Fires when: `perm` is 0, 1, 2, …, or is absent and the input has at most one axis. Numerics: exact.
 */
export const eliminateNoOpTranspose = defineRewrite<object>({
  name: 'eliminate-no-op-transpose',
  summary: 'Removes Transpose that keeps the order of the axes.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Transpose'],
  rules: () => ({ match: matchTranspose }),
});

function matchTranspose(node: Node): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  const same = node.attributes.has('perm')
    ? node.ints('perm')?.every((from, to) => from === to)
    : (rankOf(input) ?? 2) < 2;
  return same ? passThrough(node, input, output) : undefined;
}
