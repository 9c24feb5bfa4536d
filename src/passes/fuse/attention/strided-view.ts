/**
 * Where the elements of a value come from when it was reshaped, transposed, sliced and repeated: each of its axes as
 * stretches of axes of the source. `[b, s, 384] -> Reshape [b, s, 12, 32] -> Transpose [0, 2, 1, 3]` is
 * `[0] [2: 12 times 32 apart] [1] [2: 32 times 1 apart]`.
 */
import type { Node } from '../../../ir/node.js';
import type { Dim, Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { divideDimsExactly, divideProducts, multiplyDims, productOfDims } from '../../../ops/dim.js';
import { hasReference, readList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { scalarOf } from '../../scalar.js';
import { frontAxis, rankOf, sameDim, shapeOf } from '../../types.js';

/** `extent` positions along an axis of the source, each `stride` elements of that axis after the one before. */
export interface Stretch {
  /** Axis of the source; REPEAT for copies of the same elements. */
  readonly axis: number;
  readonly extent: Dim;
  readonly stride: Dim;
}

/** In place of an axis: the elements are repeated. */
export const REPEAT = -1;

export interface StridedView {
  /** For each axis its stretches, the outermost first; none for an axis of size 1. */
  readonly axes: readonly (readonly Stretch[])[];
  /** Where along an axis of the source the view starts, when it is not 0. */
  readonly offsets: ReadonlyMap<number, number>;
}

/** A value as a view of another one, all of it times `factor`. */
export interface Trace {
  readonly source: Value;
  readonly view: StridedView;
  readonly factor: number;
  /** The nodes between, first to last. */
  readonly nodes: readonly Node[];
}

interface Step {
  readonly node: Node;
  readonly input: Value;
  readonly output: Value;
  /** Set for a Mul or Div with a scalar. */
  readonly factor: number | undefined;
}

/** All ways to see `value` as a view: of itself, of what its node reads, and so on upwards; the farthest source first. */
export function tracesOf(value: Value, context: RewriteContext): Trace[] {
  const steps: Step[] = [];
  for (let step = stepBefore(value, context); step; step = stepBefore(step.input, context)) steps.unshift(step);
  const traces: Trace[] = [];
  for (let start = 0; start <= steps.length; start++) {
    const trace = traceFrom(steps.slice(start), steps[start]?.input ?? value, context);
    if (trace) traces.push(trace);
  }
  return traces;
}

function traceFrom(steps: readonly Step[], source: Value, context: RewriteContext): Trace | undefined {
  let view = viewOfShape(shapeOf(source));
  let factor = 1;
  for (const step of steps) {
    if (!view) return undefined;
    if (step.factor === undefined) view = viewAfter(view, step.node, step.output, context);
    else factor *= step.factor;
  }
  return view && { source, view, factor, nodes: steps.map(({ node }) => node) };
}

const VIEW_OPERATORS: ReadonlySet<string> = new Set([
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Gather',
  'Slice',
  'Split',
  'Expand',
  'Identity',
]);

/** True for the operators that `viewAfter` knows. */
export function isViewOperator(node: Node): boolean {
  return node.domain === '' && VIEW_OPERATORS.has(node.opType);
}

function stepBefore(output: Value, context: RewriteContext): Step | undefined {
  const node = output.producer;
  if (!node) return undefined;
  if (isViewOperator(node)) {
    const input = node.input(0);
    return input && !context.constant(input) ? { node, input, output, factor: undefined } : undefined;
  }
  return scalingStep(node, output, context);
}

/** A Mul with, or a Div by, a constant of one element that adds no axes. */
function scalingStep(node: Node, output: Value, context: RewriteContext): Step | undefined {
  if (!node.is('Mul') && !node.is('Div')) return undefined;
  for (const [slot, other] of node.is('Mul') ? [[0, 1] as const, [1, 0] as const] : [[0, 1] as const]) {
    const input = node.input(slot);
    const tensor = context.constant(node.input(other));
    const number = scalarOf(tensor);
    const rank = rankOf(input);
    if (!input || !tensor || number === undefined || (tensor.rank > 0 && (rank === undefined || tensor.rank > rank)))
      continue;
    return { node, input, output, factor: node.is('Mul') ? number : 1 / number };
  }
  return undefined;
}

/** All of a value of this shape. Sizes that are not known get a name that stands for nothing else. */
export function viewOfShape(shape: Shape): StridedView | undefined {
  if (!shape) return undefined;
  return {
    axes: shape.map((dim, axis) => (dim === 1 ? [] : [{ axis, extent: dim ?? `unknown_axis_${axis}`, stride: 1 }])),
    offsets: new Map(),
  };
}

/** What becomes of a view by one more node; undefined where that is no view, or not known. */
export function viewAfter(
  view: StridedView,
  node: Node,
  output: Value,
  context: RewriteContext,
): StridedView | undefined {
  if (hasReference(node)) return undefined;
  switch (node.opType) {
    case 'Identity':
      return view;
    case 'Transpose':
      return transposed(view, node.ints('perm'));
    case 'Reshape':
      return reshaped(view, targetOf(view, node, context) ?? openShape(output));
    case 'Flatten':
      return reshaped(view, openShape(output));
    case 'Squeeze':
      return squeezed(view, numbersOf(node, 'axes', 1, context));
    case 'Unsqueeze':
      return unsqueezed(view, numbersOf(node, 'axes', 1, context));
    case 'Gather':
      return gathered(view, node, context);
    case 'Slice':
      return sliced(view, node, context);
    case 'Split':
      return splitOff(view, node, output);
    case 'Expand':
      return expanded(view, shapeOf(node.input(0)), shapeOf(output));
    default:
      return undefined;
  }
}

function transposed(view: StridedView, given: readonly number[] | undefined): StridedView | undefined {
  const perm = given ?? view.axes.map((_, axis) => view.axes.length - 1 - axis);
  if (perm.length !== view.axes.length) return undefined;
  return { ...view, axes: perm.map((axis) => view.axes[axis] ?? []) };
}

/** Sizes that a Reshape asks for; undefined stands for the one that is left over. */
function targetOf(view: StridedView, node: Node, context: RewriteContext): Dim[] | undefined {
  const items = node.attributes.has('shape') ? node.ints('shape') : context.elements(node.input(1))?.items;
  if (!items || items.some((item) => item === undefined)) return undefined;
  const copies = node.int('allowzero', 0) !== 1;
  return items.map((item, axis) => {
    if (item === -1) return undefined;
    return item === 0 && copies ? sizeOf(view.axes[axis] ?? []) : item;
  });
}

function openShape(value: Value): Dim[] | undefined {
  return shapeOf(value)?.slice();
}

function sizeOf(stretches: readonly Stretch[]): Dim {
  return productOfDims(stretches.map(({ extent }) => extent));
}

/** Cuts the stretches, in row-major order, into axes of these sizes. */
function reshaped(view: StridedView, target: Dim[] | undefined): StridedView | undefined {
  const rest = view.axes.flat();
  const sizes = target && withoutGap(target, rest);
  if (!sizes) return undefined;
  const axes: Stretch[][] = [];
  for (const size of sizes) {
    const axis: Stretch[] = [];
    let needed: Dim = size;
    while (needed !== 1) {
      const next = rest.shift();
      if (!next) return undefined;
      const remaining = sameDim(next.extent, needed) ? 1 : divideDimsExactly(needed, next.extent);
      if (remaining !== undefined) {
        axis.push(next);
        needed = remaining;
        continue;
      }
      const inner = divideDimsExactly(next.extent, needed);
      if (inner === undefined) return undefined;
      axis.push({ axis: next.axis, extent: needed, stride: multiplyDims(next.stride, inner) });
      rest.unshift({ axis: next.axis, extent: inner, stride: next.stride });
      needed = 1;
    }
    axes.push(axis);
  }
  return rest.length === 0 ? { ...view, axes } : undefined;
}

/** The sizes with the one that is left open, at most, put in. */
function withoutGap(target: readonly Dim[], stretches: readonly Stretch[]): Dim[] | undefined {
  const open = target.indexOf(undefined);
  if (open < 0) return [...target];
  if (target.includes(undefined, open + 1)) return undefined;
  const others = target.toSpliced(open, 1);
  const size = divideProducts(
    stretches.map(({ extent }) => extent),
    others,
  );
  return size === undefined ? undefined : target.with(open, size);
}

function squeezed(view: StridedView, axes: readonly number[] | undefined): StridedView | undefined {
  const drop = axes?.map((axis) => frontAxis(axis, view.axes.length));
  if (!drop || drop.includes(undefined)) return undefined;
  // What is squeezed has size 1 whatever was known of it; a view cannot tell which element of a longer one that is.
  if (drop.some((axis) => (view.axes[axis ?? 0]?.length ?? 0) > 0)) return undefined;
  return { ...view, axes: view.axes.filter((_, axis) => !drop.includes(axis)) };
}

function unsqueezed(view: StridedView, axes: readonly number[] | undefined): StridedView | undefined {
  if (!axes) return undefined;
  const rank = view.axes.length + axes.length;
  const added = new Set(axes.map((axis) => frontAxis(axis, rank)));
  if (added.has(undefined) || added.size !== axes.length) return undefined;
  const rest = view.axes.values();
  return {
    ...view,
    axes: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? [] : (rest.next().value ?? []))),
  };
}

/** One element along an axis. */
function gathered(view: StridedView, node: Node, context: RewriteContext): StridedView | undefined {
  const axis = frontAxis(node.int('axis', 0), view.axes.length);
  const indices = context.constant(node.input(1));
  const index = indices && indices.rank <= 1 ? scalarOf(indices) : undefined;
  const [stretch, more] = axis === undefined ? [] : (view.axes[axis] ?? []);
  if (axis === undefined || index === undefined || more) return undefined;
  const size = stretch ? stretch.extent : 1;
  const start = typeof size === 'number' && index < 0 ? index + size : index;
  const taken = cut(view, axis, start, 1);
  return indices?.rank === 0 && taken ? { ...taken, axes: taken.axes.toSpliced(axis, 1) } : taken;
}

/** A part of one axis: `length` positions from `start` on. */
function cut(view: StridedView, axis: number, start: number, length: number): StridedView | undefined {
  const [stretch, more] = view.axes[axis] ?? [];
  if (more || start < 0 || length < 1) return undefined;
  const size = stretch ? stretch.extent : 1;
  if (typeof size !== 'number' || start + length > size) return undefined;
  if (length === size) return view;
  if (!stretch || stretch.axis === REPEAT || typeof stretch.stride !== 'number') return undefined;
  const offsets = new Map(view.offsets);
  offsets.set(stretch.axis, (offsets.get(stretch.axis) ?? 0) + start * stretch.stride);
  return { axes: view.axes.with(axis, length === 1 ? [] : [{ ...stretch, extent: length }]), offsets };
}

function sliced(view: StridedView, node: Node, context: RewriteContext): StridedView | undefined {
  const starts = numbersOf(node, 'starts', 1, context);
  const ends = numbersOf(node, 'ends', 2, context);
  const given = node.attributes.has('axes') || node.input(3) !== undefined;
  const axes = given ? numbersOf(node, 'axes', 3, context) : starts?.map((_, index) => index);
  const steps = node.input(4) ? numbersOf(node, 'steps', 4, context) : [];
  if (!starts || !ends || !axes || !steps || steps.some((step) => step !== 1)) return undefined;
  let result: StridedView | undefined = view;
  for (const [index, one] of axes.entries()) {
    const axis = frontAxis(one, view.axes.length);
    if (axis === undefined || !result) return undefined;
    const size = sizeOf(view.axes[axis] ?? []);
    if (typeof size !== 'number') return undefined;
    const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    const start = clamp(starts[index] ?? 0);
    result = cut(result, axis, start, clamp(ends[index] ?? 0) - start);
  }
  return result;
}

/** One output of a Split: the sizes of all must be known. */
function splitOff(view: StridedView, node: Node, output: Value): StridedView | undefined {
  const axis = frontAxis(node.int('axis', 0), view.axes.length);
  if (axis === undefined) return undefined;
  let start = 0;
  for (const part of node.outputs) {
    const size = shapeOf(part)?.[axis];
    if (typeof size !== 'number') return undefined;
    if (part === output) return cut(view, axis, start, size);
    start += size;
  }
  return undefined;
}

function expanded(view: StridedView, from: Shape, to: Shape): StridedView | undefined {
  if (!from || !to || to.length < from.length) return undefined;
  const added = to.length - from.length;
  const axes: (readonly Stretch[])[] = [];
  for (const [axis, size] of to.entries()) {
    const stretches = view.axes[axis - added] ?? [];
    const before = axis < added ? 1 : from[axis - added];
    if (size === undefined) return undefined;
    if (sameDim(before, size)) axes.push(stretches);
    else if (before === 1) axes.push([{ axis: REPEAT, extent: size, stride: 0 }]);
    else return undefined;
  }
  return { ...view, axes };
}

function numbersOf(node: Node, name: string, slot: number, context: RewriteContext): readonly number[] | undefined {
  const list = readList(context, node, name, slot);
  return typeof list === 'string' ? undefined : list;
}
