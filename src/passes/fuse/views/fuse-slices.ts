import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { shapeOf } from '../../types.js';
import { composeRanges, readSlice, type SliceRange, sliceSpec } from './slice-ranges.js';
import { isReadBy } from './sole-readers.js';

/**
 * Slice(Slice(x)) = Slice(x): of different axes, or ranges of ranges of the same one.
 *
 * Fires when all starts, ends, axes and steps are known, and nothing but Slices reads the value between. Refuses ranges
 * of ranges that depend on a size which is unknown, such as `x[-5:][:3]`. Numerics: exact.
 */
export const fuseSlices = defineRewrite<object>({
  name: 'fuse-slices',
  summary: 'Merges consecutive Slices into one.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Slice'],
  rules: () => ({ match: matchSlice }),
});

function matchSlice(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!middle || !source || !first?.is('Slice')) return undefined;
  if (!isReadBy(middle, node.graph, (reader) => reader.is('Slice'))) return undefined;
  const ranges = composedRanges(first, node, context);
  if (ranges === undefined) return undefined;
  if (typeof ranges === 'string') return ranges;
  return { nodes: [node, first], apply: () => takeOver(node, sliceSpec(context, node, source, ranges)) };
}

function composedRanges(
  first: Node,
  second: Node,
  context: RewriteContext,
): ReadonlyMap<number, SliceRange> | string | undefined {
  const outer = readSlice(context, first);
  const inner = readSlice(context, second);
  if (!outer || !inner) return undefined;
  const shape = shapeOf(first.input(0));
  const ranges = new Map(outer);
  for (const [axis, range] of inner) {
    const before = outer.get(axis);
    const both = before ? composeRanges(before, range, shape?.[axis]) : range;
    if (!both) return `which part of axis ${axis} both select depends on its size, which is unknown`;
    ranges.set(axis, both);
  }
  return ranges;
}
