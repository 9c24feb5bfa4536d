/** Pieces of one value along one axis: what Split gives, and a Slice of that axis. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { hasReference, readList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { shapeOf } from '../../types.js';
import { axisOf } from './gather-indices.js';
import { indexRun, readSlice } from './slice-ranges.js';

/** A piece of `source`: elements `start` to `end` of its axis. Ends are as Slice has them, below 0 counting from the end. */
export interface ValuePart {
  readonly source: Value;
  readonly start: number;
  readonly end: number;
}

/**
 * Tells what a value is a piece of along an axis; undefined where it is none, or it is not known which. The sizes of a
 * Split are added up once, however many of its outputs are asked for.
 */
export function partReader(context: RewriteContext, axis: number): (value: Value | undefined) => ValuePart | undefined {
  const splits = new Map<Node, readonly number[] | undefined>();
  const cutsOf = (node: Node): readonly number[] | undefined => {
    if (!splits.has(node)) splits.set(node, axisOf(node, 0) === axis ? cuts(splitSizes(context, node)) : undefined);
    return splits.get(node);
  };
  return (value) => value && partOf(context, value, axis, cutsOf);
}

/** Where pieces of these sizes start, and where the last one ends. */
function cuts(sizes: readonly number[] | undefined): readonly number[] | undefined {
  if (!sizes) return undefined;
  const starts = [0];
  for (const [at, size] of sizes.entries()) starts.push((starts[at] as number) + size);
  return starts;
}

function partOf(
  context: RewriteContext,
  value: Value,
  axis: number,
  cutsOf: (node: Node) => readonly number[] | undefined,
): ValuePart | undefined {
  const node = value.producer;
  const source = node?.input(0);
  if (!node || !source) return undefined;
  if (node.is('Split')) {
    const starts = cutsOf(node);
    const [start, end] = [starts?.[value.outputIndex], starts?.[value.outputIndex + 1]];
    if (start === undefined || end === undefined) return undefined;
    const toTheEnd = value.outputIndex === node.outputs.length - 1 && typeof shapeOf(source)?.[axis] !== 'number';
    return { source, start, end: toTheEnd ? Number.POSITIVE_INFINITY : end };
  }
  const ranges = node.is('Slice') ? readSlice(context, node) : undefined;
  const range = ranges?.size === 1 ? ranges.get(axis) : undefined;
  if (range?.step !== 1) return undefined;
  const dim = shapeOf(source)?.[axis];
  if (typeof dim !== 'number') return { source, start: range.start, end: range.end };
  const { first, count } = indexRun(range, dim);
  return { source, start: first, end: first + count };
}

/** The sizes of all outputs of a Split, used or not; undefined where they are not known as numbers. */
export function splitSizes(context: RewriteContext, node: Node): readonly number[] | undefined {
  if (!node.is('Split') || hasReference(node)) return undefined;
  const given = readList(context, node, 'split', 1);
  const count = node.outputs.length;
  if (given === 'unknown') return undefined;
  if (given !== 'absent') return given.length === count ? given : undefined;
  const axis = axisOf(node, 0);
  const dim = axis === undefined ? undefined : shapeOf(node.input(0))?.[axis];
  if (typeof dim !== 'number') return undefined;
  // With `num_outputs` (opset 18) the last one takes what is left; without, all are equal.
  const size = Math.ceil(dim / count);
  if (!node.attributes.has('num_outputs') && dim % count !== 0) return undefined;
  return Array.from({ length: count }, (_, at) => Math.max(0, Math.min(size, dim - at * size)));
}

/** True when pieces follow each other in one value, so that together they are its elements from the first start to the last end. */
export function areAdjacent(parts: readonly ValuePart[], dim: number | undefined): boolean {
  const [first] = parts;
  const last = parts.at(-1);
  if (!first || !last) return false;
  const follow = parts.every((part, at) => {
    const before = parts[at - 1];
    return part.source === first.source && (!before || before.end === part.start);
  });
  if (!follow || dim !== undefined || parts.length === 1) return follow;
  // Ends that count from different sides may cross on a short axis.
  const cuts = parts.slice(1).map(({ start }) => start);
  const ends = [...(first.start === 0 ? [] : [first.start]), ...cuts];
  if (last.end !== Number.POSITIVE_INFINITY) ends.push(last.end);
  const oneSide = ends.every((end) => end < 0) || ends.every((end) => end >= 0);
  return oneSide && ends.every((end, at) => at === 0 || end >= (ends[at - 1] as number));
}

/** True when pieces that are adjacent are all of their source. */
export function isWholeRange(start: number, end: number, dim: number | undefined): boolean {
  return start === 0 && (end === Number.POSITIVE_INFINITY || (dim !== undefined && end === dim));
}
