/** Views: operators that give the same elements in the same order under another shape. */
import type { Node } from '../../../ir/node.js';
import { type Dim, type Shape, tensorType } from '../../../ir/type.js';
import { atLeast, divideDimsExactly } from '../../../ops/dim.js';
import { inferNodeTypes } from '../../../ops/infer/infer-node.js';
import { hasReference, readList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, frontAxis, sameDim } from '../../types.js';

const VIEW_OPERATORS: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** True for Reshape, Flatten, Squeeze and Unsqueeze, whatever is known of shapes. */
export function isView(node: Node): boolean {
  return node.domain === '' && VIEW_OPERATORS.has(node.opType) && node.input(0) !== undefined;
}

/** The shape with a name of its own for each size that is not known, so that it can be followed through views. */
export function followable(shape: Shape): readonly Dim[] | undefined {
  return shape?.map((dim, axis) => dim ?? `?${axis}`);
}

/** The shape that a node would give an input of shape `from`; undefined when that is not known. */
export function shapeAfter(context: RewriteContext, node: Node, from: readonly Dim[]): readonly Dim[] | undefined {
  const input = node.input(0);
  const dataType = dataTypeOf(input);
  if (!input || dataType === undefined) return undefined;
  const [type] = inferNodeTypes(node, context.opset(node), {
    typeOf: (value) => (value === input ? tensorType(dataType, from) : (value.type ?? undefined)),
    elementsOf: (value) => (value === input ? undefined : context.elements(value)),
  });
  return type?.kind === 'tensor' && !type.shape?.includes(undefined) ? type.shape : undefined;
}

/** True for a Transpose that moves nothing but axes of size 1, which changes no element's place in memory. */
export function isTransposedView(node: Node, from: readonly Dim[]): boolean {
  if (!node.is('Transpose') || hasReference(node)) return false;
  const perm = node.ints('perm') ?? from.map((_, axis) => from.length - 1 - axis);
  if (perm.length !== from.length) return false;
  const kept = perm.filter((axis) => from[axis] !== 1);
  return kept.every((axis, at) => at === 0 || axis > (kept[at - 1] as number));
}

/** Axes taken out of the input and put into the output of Squeezes and Unsqueezes in a row. */
export interface AxisChange {
  /** Axes of the input, all of size 1. */
  readonly removed: readonly number[];
  /** Axes of the output, all of size 1. */
  readonly inserted: readonly number[];
}

/**
 * What Squeeze and Unsqueeze nodes, first to last, do to the axes, whatever their sizes are. Undefined when axes are not
 * known, or count from the end of a value of unknown rank.
 */
export function axisChange(
  context: RewriteContext,
  nodes: readonly Node[],
  rank: number | undefined,
): AxisChange | undefined {
  const lists: (readonly number[])[] = [];
  for (const node of nodes) {
    if (!node.is('Squeeze') && !node.is('Unsqueeze')) return undefined;
    const axes = readList(context, node, 'axes', 1);
    if (axes === 'absent' || axes === 'unknown') return undefined;
    lists.push(axes);
  }
  if (rank === undefined && lists.flat().some((axis) => axis < 0)) return undefined;
  // Of a value of unknown rank only the axes in front are looked at; those behind stay as they are.
  const seen = rank ?? lists.flat().reduce((most, axis) => Math.max(most, axis), 0) + lists.flat().length + 1;
  let axes: number[] | undefined = Array.from({ length: seen }, (_, axis) => axis);
  nodes.forEach((node, at) => {
    axes = axes && (node.is('Squeeze') ? withoutAxes(axes, lists[at] ?? []) : withAxes(axes, lists[at] ?? []));
  });
  return axes && changeOf(axes, seen);
}

/** Stands for an axis that an Unsqueeze put in. */
const NEW_AXIS = -1;

function withoutAxes(axes: readonly number[], list: readonly number[]): number[] | undefined {
  const drop = new Set(list.map((axis) => frontAxis(axis, axes.length)));
  return drop.has(undefined) ? undefined : axes.filter((_, at) => !drop.has(at));
}

function withAxes(axes: readonly number[], list: readonly number[]): number[] | undefined {
  const rank = axes.length + list.length;
  const places = new Set(list.map((axis) => frontAxis(axis, rank)));
  if (places.has(undefined) || places.size !== list.length) return undefined;
  const rest = axes.values();
  return Array.from({ length: rank }, (_, at) => (places.has(at) ? NEW_AXIS : (rest.next().value ?? NEW_AXIS)));
}

/** An axis taken out and one put in at the same place are the same axis of size 1. */
function changeOf(axes: readonly number[], rank: number): AxisChange {
  const removed: number[] = [];
  const inserted: number[] = [];
  let next = 0;
  let at = 0;
  while (at <= axes.length) {
    let end = at;
    while (axes[end] === NEW_AXIS) end++;
    const stop = end < axes.length ? (axes[end] as number) : rank;
    const same = Math.min(end - at, stop - next);
    for (let axis = next + same; axis < stop; axis++) removed.push(axis);
    for (let place = at + same; place < end; place++) inserted.push(place);
    next = stop + 1;
    at = end + 1;
  }
  return { removed, inserted };
}

/** The same from two shapes that hold the same elements; undefined when they differ in more than sizes of 1. */
export function onesBetween(from: readonly Dim[], to: readonly Dim[]): AxisChange | undefined {
  const removed: number[] = [];
  const inserted: number[] = [];
  let axis = 0;
  let place = 0;
  while (axis < from.length || place < to.length) {
    if (axis < from.length && place < to.length && sameDim(from[axis], to[place])) {
      axis++;
      place++;
    } else if (axis < from.length && from[axis] === 1) removed.push(axis++);
    else if (place < to.length && to[place] === 1) inserted.push(place++);
    else return undefined;
  }
  return { removed, inserted };
}

/**
 * A constant for Reshape that makes `to` of `from`: numbers, 0 for a size copied from the same place, and at most one -1.
 * ONNX Runtime refuses a -1 beside a size of 0, so one is written only where the sizes beside it cannot be 0 or the
 * operators in the place of which it comes fail as well: `failing` lists what must not be 0 for them.
 */
export function reshapeTarget(
  from: readonly Dim[],
  to: readonly Dim[],
  failing: readonly Dim[] = [],
): number[] | undefined {
  const target = to.map((dim, axis) => (sameDim(dim, from[axis]) && typeof dim !== 'number' ? 0 : dim));
  const open = target.flatMap((dim, axis) => (typeof dim === 'number' ? [] : [axis]));
  if (open.length > 1 || to.some((dim, axis) => dim === 0 && from[axis] !== 0)) return undefined;
  const [inferred] = open;
  if (inferred !== undefined) {
    const beside = to.filter((_, axis) => axis !== inferred);
    if (!beside.every((dim) => atLeast(dim, 1) || failing.some((size) => divideDimsExactly(size, dim) !== undefined)))
      return undefined;
  }
  return target.map((dim) => (typeof dim === 'number' ? dim : -1));
}

/** Sizes that must not be 0 for a Reshape with a -1; none for other views. */
export function failingSizes(context: RewriteContext, node: Node, output: readonly Dim[]): readonly Dim[] {
  if (!node.is('Reshape')) return [];
  const wanted = node.ints('shape') ?? context.elements(node.input(1))?.items;
  const open = wanted?.indexOf(-1) ?? -1;
  return open < 0 ? [] : output.filter((_, axis) => axis !== open);
}
