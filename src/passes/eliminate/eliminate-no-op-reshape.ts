import type { Node } from '../../ir/node.js';
import type { Dim, Shape } from '../../ir/type.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference, readItems } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { rankOf, sameDim, sameShape, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Reshape, Flatten, Squeeze and Unsqueeze to the shape that the input already has.
 *
 * Fires when: the wanted sizes are those of the input whatever the symbols are (`[0, -1, 384]` on `[batch, seq, 384]`);
 * Flatten at the axis where a matrix is one already; Squeeze that finds no axis of size 1; Squeeze and Unsqueeze of no
 * axes. Refuses nothing: where sizes cannot be compared the node stays. Numerics: exact.
 */
export const eliminateNoOpReshape = defineRewrite<object>({
  name: 'eliminate-no-op-reshape',
  summary: 'Removes Reshape, Flatten, Squeeze and Unsqueeze that do not change the shape.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'],
  rules: () => ({ match: matchView }),
});

function matchView(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  const same = node.is('Reshape')
    ? isSameReshape(node, context)
    : node.is('Flatten')
      ? isSameFlatten(node)
      : keepsAxes(node, context);
  return same ? passThrough(node, input, output) : undefined;
}

function isSameReshape(node: Node, context: RewriteContext): boolean {
  const input = shapeOf(node.input(0));
  const wanted = readItems(context, node, 'shape', 1);
  if (typeof wanted !== 'string' && isOwnShape(input, wanted, node.int('allowzero', 0) !== 0)) return true;
  return sameShape(input, shapeOf(node.outputs[0]));
}

/**
 * Whether a target of Reshape is the shape of the input. Where a -1 stands beside a size that may be 0, Reshape itself
 * would fail for 0, so nothing is lost.
 */
function isOwnShape(input: Shape, wanted: readonly Dim[], keepZero: boolean): boolean {
  if (input?.length !== wanted.length) return false;
  let open = 0;
  return wanted.every((dim, axis) => {
    if (dim === -1) return ++open === 1;
    return (dim === 0 && !keepZero) || sameDim(dim, input[axis]);
  });
}

/** A matrix flattened between its axes, or at an end beside an axis of size 1. */
function isSameFlatten(node: Node): boolean {
  const shape = shapeOf(node.input(0));
  if (shape?.length !== 2) return false;
  const given = node.int('axis', 1);
  const axis = given < 0 ? given + 2 : given;
  return axis === 1 || (axis === 0 && shape[0] === 1) || (axis === 2 && shape[1] === 1);
}

function keepsAxes(node: Node, context: RewriteContext): boolean {
  const axes = readItems(context, node, 'axes', 1);
  if (axes === 'unknown') return rankOf(node.input(0)) !== undefined && sameRank(node);
  if (axes !== 'absent') return axes.length === 0;
  return node.is('Squeeze') && (shapeOf(node.input(0))?.every((dim) => typeof dim === 'number' && dim !== 1) ?? false);
}

function sameRank(node: Node): boolean {
  return rankOf(node.input(0)) === rankOf(node.outputs[0]);
}
