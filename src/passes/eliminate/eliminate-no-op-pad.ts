import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference, readList } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { passThrough } from './pass-through.js';

/**
 * Pad with zero padding on every side.
 *
 * Fires when all pads are known to be 0, whatever the mode and the axes are. Numerics: exact.
 */
export const eliminateNoOpPad = defineRewrite<object>({
  name: 'eliminate-no-op-pad',
  summary: 'Removes Pad with zero padding on all sides.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Pad'],
  rules: () => ({ match: matchPad }),
});

function matchPad(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  // Opset 1 called them `paddings`.
  const pads = readList(context, node, node.attributes.has('paddings') ? 'paddings' : 'pads', 1);
  if (typeof pads === 'string' || !pads.every((pad) => pad === 0)) return undefined;
  return passThrough(node, input, output);
}
