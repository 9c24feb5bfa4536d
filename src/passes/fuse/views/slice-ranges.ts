/** What Slice takes of each axis, as numbers. */
import type { Int64 } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { hasReference, isInput, readList, writeList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { frontAxis, rankOf } from '../../types.js';

/** A range as Slice has it: ends below 0 count from the end of the axis; infinite for "to the end" and "before the start". */
export interface SliceRange {
  readonly start: number;
  readonly end: number;
  /** Never 0. */
  readonly step: number;
}

/** Exporters write INT32_MAX or INT64_MAX, or their negatives, for a range without end. */
const ENDLESS = 2 ** 31 - 1;
const INT64_MAX = 9223372036854775807n;

/**
 * The ranges of a Slice by axis, counted from the front, in the order in which it names them. Undefined when some are
 * computed, or axes count from the end of a value of unknown rank.
 */
export function readSlice(context: RewriteContext, node: Node): ReadonlyMap<number, SliceRange> | undefined {
  if (!node.is('Slice') || hasReference(node)) return undefined;
  const starts = readList(context, node, 'starts', 1);
  const ends = readList(context, node, 'ends', 2);
  const axes = readList(context, node, 'axes', 3);
  const steps = readList(context, node, 'steps', 4);
  if (typeof starts === 'string' || typeof ends === 'string' || axes === 'unknown' || steps === 'unknown')
    return undefined;
  const rank = rankOf(node.input(0));
  const ranges = new Map<number, SliceRange>();
  for (const [at, start] of starts.entries()) {
    const given = axes === 'absent' ? at : axes[at];
    const end = ends[at];
    const step = steps === 'absent' ? 1 : steps[at];
    if (given === undefined || end === undefined || step === undefined || step === 0) return undefined;
    const axis = rank === undefined ? given : frontAxis(given, rank);
    if (axis === undefined || axis < 0 || ranges.has(axis)) return undefined;
    ranges.set(axis, { start: endless(start), end: endless(end), step });
  }
  return ranges;
}

function endless(at: number): number {
  return at >= ENDLESS ? Number.POSITIVE_INFINITY : at <= -ENDLESS ? Number.NEGATIVE_INFINITY : at;
}

/** A Slice of `source` with these ranges, for a node in the place of `at`. Only for `apply`: it makes constants. */
export function sliceSpec(
  context: RewriteContext,
  at: Node,
  source: Value,
  ranges: ReadonlyMap<number, SliceRange>,
): Omit<NodeSpec, 'outputs'> {
  const lists: [name: string, list: Int64[]][] = [
    ['starts', [...ranges.values()].map(({ start }) => int64(start))],
    ['ends', [...ranges.values()].map(({ end }) => int64(end))],
    ['axes', [...ranges.keys()]],
  ];
  if (isInput('Slice', 'starts', context.opset(at)) && [...ranges.values()].some(({ step }) => step !== 1))
    lists.push(['steps', [...ranges.values()].map(({ step }) => step)]);
  const written = lists.map(([name, list]) => writeList(context, at, 'Slice', name, list));
  return {
    opType: 'Slice',
    inputs: [source, ...written.flatMap(({ inputs }) => inputs)],
    attributes: written.flatMap(({ attributes }) => attributes),
  };
}

function int64(at: number): Int64 {
  return Number.isFinite(at) ? at : at > 0 ? INT64_MAX : -INT64_MAX;
}

/** A range of an axis of known size: its first index, how many there are, and from one to the next. */
export interface IndexRun {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

/** The indices that a range takes of an axis of this size (ONNX Slice-13, clamping included). */
export function indexRun({ start, end, step }: SliceRange, size: number): IndexRun {
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
  const stop = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
  return { first, count: size === 0 ? 0 : Math.max(0, Math.ceil((stop - first) / step)), step };
}

/** The range that takes a run of indices of an axis of this size. */
function rangeOf({ first, count, step }: IndexRun, size: number): SliceRange {
  if (count === 0) return { start: 0, end: 0, step: 1 };
  const last = first + (count - 1) * step;
  if (step > 0) return { start: first, end: last + 1, step };
  return { start: first, end: last === 0 ? -size - 1 : last - 1, step };
}

/** The range that `second` takes of what `first` took of an axis of size `dim`; undefined where that depends on a size that is not known. */
export function composeRanges(first: SliceRange, second: SliceRange, dim: Dim): SliceRange | undefined {
  if (typeof dim === 'number') {
    const outer = indexRun(first, dim);
    const inner = indexRun(second, outer.count);
    const step = outer.step * inner.step;
    return rangeOf({ first: outer.first + inner.first * outer.step, count: inner.count, step }, dim);
  }
  if (isWhole(first)) return second;
  if (isWhole(second)) return first;
  if (first.step < 0 || second.step < 0 || second.start < 0) return undefined;
  const step = first.step * second.step;
  if (second.start === 0 && second.end === Number.POSITIVE_INFINITY) return { ...first, step };
  if (first.start < 0) return undefined;
  const end = composedEnd(first, second);
  return end === undefined ? undefined : { start: first.start + second.start * first.step, end, step };
}

function isWhole({ start, end, step }: SliceRange): boolean {
  return start === 0 && end === Number.POSITIVE_INFINITY && step === 1;
}

/** The end of a range of a range, both with steps and starts not below 0. */
function composedEnd(first: SliceRange, second: SliceRange): number | undefined {
  if (second.end === Number.POSITIVE_INFINITY) return first.end;
  if (second.end >= 0) {
    const end = first.start + second.end * first.step;
    return first.end >= 0 ? Math.min(first.end, end) : undefined;
  }
  // What counts from the end counts from the same end.
  if (first.step !== 1 || second.end === Number.NEGATIVE_INFINITY) return undefined;
  if (first.end === Number.POSITIVE_INFINITY) return second.end;
  return first.end < 0 ? first.end + second.end : undefined;
}
