import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { readItems } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { sameShape, shapeOf } from '../types.js';
import { broadcastKeeps } from './broadcast-keeps.js';
import { passThrough } from './pass-through.js';

/**
 * Expand to the shape that the input already has, and Tile with 1 along every axis.
 *
 * Fires when: every wanted size of Expand is 1 or that of the input, symbolic ones included; every repeat of Tile is 1.
 * Refuses nothing: where sizes cannot be compared the node stays. Numerics: exact.
 */
export const eliminateNoOpExpand = defineRewrite<object>({
  name: 'eliminate-no-op-expand',
  summary: 'Removes Expand and Tile that do not change the shape.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Expand', 'Tile'],
  rules: () => ({ match: matchRepeat }),
});

function matchRepeat(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output) return undefined;
  const wanted = readItems(context, node, '', 1);
  const shape = shapeOf(input);
  const same = node.is('Tile')
    ? typeof wanted !== 'string' && wanted.every((repeat) => repeat === 1)
    : (typeof wanted !== 'string' && broadcastKeeps(shape, wanted)) || sameShape(shape, shapeOf(output));
  return same ? passThrough(node, input, output) : undefined;
}
