import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { rankOf, sameShape, shapeOf } from '../../types.js';
import { type GatherParts, gatherSpec, readGather } from './gather-indices.js';
import { indexRun, readSlice, type SliceRange } from './slice-ranges.js';
import { axisChange, followable, shapeAfter } from './view-shapes.js';

/**
 * Gather gives its indices' shape to the output, so a view that changes nothing else is a Gather with the same indices
 * under another shape: Unsqueeze(x[3]) = x[[3]], Squeeze(x[[3]]) = x[3]. And Squeeze(x[3:4]) = x[3].
 *
 * Fires when the indices are constant, or the Slice takes one element of the one axis that is squeezed, and nothing
 * else reads the value between. Refuses where axes or sizes are unknown. Numerics: exact.
 */
export const fuseGatherViews = defineRewrite<object>({
  name: 'fuse-gather-views',
  summary: 'Merges Squeeze, Unsqueeze and Reshape into the Gather or Slice before them.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Squeeze', 'Unsqueeze', 'Reshape'],
  rules: () => ({ match: matchIndexedView }),
});

function matchIndexedView(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!middle || !source || !(first?.is('Gather') || first?.is('Slice')) || onlyConsumer(middle) !== node)
    return undefined;
  const parts = first.is('Gather') ? reshapedIndices(first, node, context) : onlyIndex(first, node, context);
  if (!parts) return undefined;
  if (context.opset(node) < 11 && parts.indices.some((index) => index < 0)) return undefined;
  return { nodes: [node, first], apply: () => takeOver(node, gatherSpec(node, source, parts)) };
}

function reshapedIndices(gather: Node, view: Node, context: RewriteContext): GatherParts | undefined {
  const parts = readGather(context, gather);
  const dims = parts && (dimsByAxes(parts, gather, view, context) ?? dimsByShape(parts, gather, view, context));
  return parts && dims && { ...parts, dims };
}

/** The new shape of the indices where axes are taken out or put in among theirs only. */
function dimsByAxes(
  { axis, dims }: GatherParts,
  gather: Node,
  view: Node,
  context: RewriteContext,
): number[] | undefined {
  const change = axisChange(context, [view], rankOf(gather.output()));
  if (!change) return undefined;
  const end = axis + dims.length;
  if (change.removed.some((at) => at < axis || at >= end)) return undefined;
  const kept = dims.filter((_, at) => !change.removed.includes(axis + at));
  const rest = kept.values();
  const length = kept.length + change.inserted.length;
  if (change.inserted.some((at) => at < axis || at >= axis + length)) return undefined;
  return Array.from({ length }, (_, at) => (change.inserted.includes(axis + at) ? 1 : (rest.next().value ?? 1)));
}

/** The same by the shapes before and after: what stands in front of the indices' axes and behind them must stay. */
function dimsByShape(
  { axis, indices }: GatherParts,
  gather: Node,
  view: Node,
  context: RewriteContext,
): number[] | undefined {
  const data = followable(shapeOf(gather.input(0)));
  const from = data && shapeAfter(context, gather, data);
  const to = from && shapeAfter(context, view, from);
  if (!to) return undefined;
  const front = data.slice(0, axis);
  const back = data.slice(axis + 1);
  const end = to.length - back.length;
  if (end < axis || !sameShape(to.slice(0, axis), front) || !sameShape(to.slice(end), back)) return undefined;
  const dims = to.slice(axis, end).filter((dim: Dim) => typeof dim === 'number');
  const size = dims.reduce((product, dim) => product * dim, 1);
  return dims.length === end - axis && size === indices.length ? dims : undefined;
}

/** The index of the one element that a Slice takes of the one axis that goes. */
function onlyIndex(slice: Node, squeeze: Node, context: RewriteContext): GatherParts | undefined {
  const ranges = readSlice(context, slice);
  const change = squeeze.is('Squeeze') ? axisChange(context, [squeeze], rankOf(slice.output())) : undefined;
  const [axis] = change?.removed ?? [];
  if (ranges?.size !== 1 || change?.removed.length !== 1 || axis === undefined) return undefined;
  const range = ranges.get(axis);
  const index = range && singleIndex(range, shapeOf(slice.input(0))?.[axis]);
  return index === undefined ? undefined : { axis, indices: [index], dims: [], dataType: DataType.INT64 };
}

/** The index of the element where a range takes exactly one, on an axis that has it. */
function singleIndex(range: SliceRange, dim: Dim): number | undefined {
  if (typeof dim === 'number') {
    const run = indexRun(range, dim);
    return run.count === 1 ? run.first : undefined;
  }
  const { start, end, step } = range;
  if (step !== 1 || !Number.isFinite(start)) return undefined;
  if (start === -1) return end === Number.POSITIVE_INFINITY ? start : undefined;
  return end === start + 1 ? start : undefined;
}
