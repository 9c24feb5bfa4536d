import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference, readItems } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { frontAxis, sameDim, shapeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Resize and Upsample to the size that the input already has, DepthToSpace and SpaceToDepth with blocks of one element.
 *
 * Fires when: all scales are 1, or all sizes are those of the input; the block size is 1. Every mode then gives each
 * element itself. Refuses: `tf_crop_and_resize`, which crops a region. Numerics: exact.
 */
export const eliminateNoOpResize = defineRewrite<object>({
  name: 'eliminate-no-op-resize',
  summary: 'Removes Resize, Upsample, DepthToSpace and SpaceToDepth that do not change the size.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Resize', 'Upsample', 'DepthToSpace', 'SpaceToDepth'],
  rules: () => ({ match: matchResize }),
});

function matchResize(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  const same =
    node.is('DepthToSpace') || node.is('SpaceToDepth')
      ? node.int('blocksize', 0) === 1
      : hasScaleOne(node, context) || hasOwnSize(node, context);
  if (!same) return undefined;
  if (node.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize') return 'it crops a region';
  return passThrough(node, input, output);
}

function hasScaleOne(node: Node, context: RewriteContext): boolean {
  const scales = scalesOf(node, context);
  return scales !== undefined && scales.length > 0 && scales.every((scale) => scale === 1);
}

/** Opset 1 had one attribute an axis, opset 7 a list, and the place among the inputs moved with opset 11. */
function scalesOf(node: Node, context: RewriteContext): readonly Dim[] | undefined {
  const opset = context.opset(node);
  if (node.is('Upsample') && opset < 9)
    return node.floats('scales') ?? [node.float('width_scale', 0), node.float('height_scale', 0)];
  return context.elements(node.input(node.is('Resize') && opset >= 11 ? 2 : 1))?.items;
}

function hasOwnSize(node: Node, context: RewriteContext): boolean {
  const shape = shapeOf(node.input(0));
  const sizes = node.is('Resize') && context.opset(node) >= 11 ? readItems(context, node, '', 3) : 'absent';
  if (!shape || typeof sizes === 'string') return false;
  const axes = node.ints('axes') ?? shape.map((_, axis) => axis);
  return (
    sizes.length === axes.length &&
    axes.every((axis, at) => sameDim(sizes[at], shape[frontAxis(axis, shape.length) ?? -1]))
  );
}
