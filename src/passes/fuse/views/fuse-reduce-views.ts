import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { isReduction, type Reduction, readReduction, withKeepdims } from '../../reduce-axes.js';
import { rankOf, sameShape, shapeOf } from '../../types.js';
import { axisChange, followable, shapeAfter } from './view-shapes.js';

/**
 * A reduction that drops its axes, and a view that restores them as 1, are the reduction with keepdims = 1; one that
 * keeps them, and a view that removes them, become keepdims = 0.
 *
 * Fires on all Reduce operators, ArgMax and ArgMin before Squeeze, Unsqueeze, Reshape and Flatten, by axes or by
 * shapes, when nothing else reads the value between. Refuses where axes are computed. Numerics: exact.
 */
export const fuseReduceViews = defineRewrite<object>({
  name: 'fuse-reduce-views',
  summary: 'Merges Squeeze, Unsqueeze and Reshape into the keepdims of the reduction before them.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Squeeze', 'Unsqueeze', 'Reshape', 'Flatten'],
  rules: () => ({ match: matchReducedView }),
});

function matchReducedView(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  if (!middle || !first || !isReduction(first) || onlyConsumer(middle) !== node) return undefined;
  const reduction = readReduction(context, first);
  if (!reduction) return `the axes of ${first.opType} are unknown`;
  if (!togglesByAxes(reduction, node, context) && !togglesByShape(reduction, first, node, context)) return undefined;
  return {
    nodes: [node, first],
    apply: () =>
      takeOver(node, {
        opType: first.opType,
        inputs: [...first.inputs],
        attributes: withKeepdims(first, !reduction.keepsAxes),
      }),
  };
}

function togglesByAxes({ axes, keepsAxes }: Reduction, view: Node, context: RewriteContext): boolean {
  const change = axisChange(context, [view], rankOf(view.input(0)));
  if (!change) return false;
  const [changed, untouched] = keepsAxes ? [change.removed, change.inserted] : [change.inserted, change.removed];
  return untouched.length === 0 && changed.length === axes.length && axes.every((axis) => changed.includes(axis));
}

function togglesByShape({ axes, keepsAxes }: Reduction, first: Node, view: Node, context: RewriteContext): boolean {
  const from = followable(shapeOf(first.input(0)));
  if (!from) return false;
  const reduced = (keep: boolean): Dim[] =>
    from.flatMap((dim, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [dim]));
  return sameShape(shapeAfter(context, view, reduced(keepsAxes)), reduced(!keepsAxes));
}
