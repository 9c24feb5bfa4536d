import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { shapeOf } from '../../types.js';
import { type GatherParts, gatherSpec, readGather } from './gather-indices.js';
import { indexRun, readSlice, type SliceRange } from './slice-ranges.js';
import { isReadBy } from './sole-readers.js';

/**
 * Gather(Gather(x; i); j) = Gather(x; i[j]), Gather(x[a:b:s]; j) = Gather(x; a + s·j) and Gather(x; i)[a:b:s] =
 * Gather(x; i[a:b:s]), all along one axis.
 *
 * Fires when indices and ranges are constant, the inner indices are a list, and nothing else reads the value between.
 * Refuses a Slice that counts from the end of an axis of unknown size. Numerics: exact.
 */
export const fuseGathers = defineRewrite<object>({
  name: 'fuse-gathers',
  summary: 'Merges consecutive Gathers and Slices along one axis into one Gather.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Gather', 'Slice'],
  rules: () => ({ match: matchIndexing }),
});

function matchIndexing(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!middle || !source || !(first?.is('Gather') || (first?.is('Slice') && node.is('Gather')))) return undefined;
  if (!isReadBy(middle, node.graph, (reader) => reader.is(node.opType))) return undefined;
  const parts = node.is('Slice')
    ? slicedIndices(first, node, context)
    : first.is('Gather')
      ? gatheredIndices(first, node, context)
      : indicesOfSlice(first, node, context);
  if (parts === undefined || typeof parts === 'string') return parts;
  if (context.opset(node) < 11 && parts.indices.some((index) => index < 0)) return undefined;
  return { nodes: [node, first], apply: () => takeOver(node, gatherSpec(node, source, parts)) };
}

function gatheredIndices(first: Node, second: Node, context: RewriteContext): GatherParts | undefined {
  const inner = readGather(context, first);
  const outer = readGather(context, second);
  if (!inner || !outer || inner.dims.length !== 1 || inner.axis !== outer.axis) return undefined;
  const indices = outer.indices.map((index) => inner.indices[index < 0 ? index + inner.indices.length : index]);
  return indices.every((index) => index !== undefined) ? { ...inner, indices, dims: outer.dims } : undefined;
}

function slicedIndices(first: Node, second: Node, context: RewriteContext): GatherParts | undefined {
  const inner = readGather(context, first);
  const range = inner && onlyRange(second, inner.axis, context);
  if (!inner || !range || inner.dims.length !== 1) return undefined;
  const run = indexRun(range, inner.indices.length);
  const indices = Array.from({ length: run.count }, (_, at) => inner.indices[run.first + at * run.step] as number);
  return { ...inner, indices, dims: [indices.length] };
}

function indicesOfSlice(first: Node, second: Node, context: RewriteContext): GatherParts | string | undefined {
  const outer = readGather(context, second);
  const range = outer && onlyRange(first, outer.axis, context);
  if (!outer || !range) return undefined;
  const dim = shapeOf(first.input(0))?.[outer.axis];
  const indices = outer.indices.map((index) => indexInSource(range, index, dim));
  return indices.every((index) => index !== undefined)
    ? { ...outer, indices }
    : `the start of the Slice of axis ${outer.axis} depends on its size, which is unknown`;
}

/** Where element `index` of a range stands in what the range is taken of. */
function indexInSource(range: SliceRange, index: number, dim: Dim): number | undefined {
  if (typeof dim === 'number') {
    const run = indexRun(range, dim);
    const at = index < 0 ? index + run.count : index;
    return at >= 0 && at < run.count ? run.first + at * run.step : undefined;
  }
  if (range.step < 0) return undefined;
  if (index >= 0) return range.start >= 0 ? range.start + index * range.step : undefined;
  return range.end === Number.POSITIVE_INFINITY && range.step === 1 ? index : undefined;
}

/** The range of a Slice of this axis and no other. */
function onlyRange(node: Node, axis: number, context: RewriteContext): SliceRange | undefined {
  const ranges = readSlice(context, node);
  return ranges?.size === 1 ? ranges.get(axis) : undefined;
}
