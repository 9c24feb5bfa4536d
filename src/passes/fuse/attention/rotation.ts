/** Rotary position embedding as exporters write it out. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { frontAxis, rankOf, sameDim, shapeOf } from '../../types.js';
import { type StridedView, tracesOf } from './strided-view.js';

/** x · cos + rotated(x) · sin, where rotated(x) is the negated second half of x before the first. */
export interface Rotation {
  readonly x: Value;
  readonly cos: Value;
  readonly sin: Value;
  /** True where cos and sin have one number for a pair of x, false where they have each number twice. */
  readonly isHalf: boolean;
  /** The nodes, the last one first. Nothing else reads what they compute, but for the first ones that cut x. */
  readonly nodes: readonly Node[];
}

/** The rotation that ends at an Add, or at a Concat of two halves. */
export function rotationAt(node: Node, context: RewriteContext): Rotation | undefined {
  return node.is('Add') ? wholeRotation(node, context) : node.is('Concat') ? halfRotation(node, context) : undefined;
}

function wholeRotation(add: Node, context: RewriteContext): Rotation | undefined {
  for (const [kept, turned] of bothOrders(add)) {
    const keep = product(kept, add);
    const turn = product(turned, add);
    if (!keep || !turn) continue;
    for (const [rotated, sin] of bothOrders(turn)) {
      const concat = rotated?.producer;
      if (!rotated || !sin || !concat?.is('Concat') || onlyConsumer(rotated) !== turn) continue;
      for (const [x, cos] of bothOrders(keep))
        if (x && cos && isRotated(concat, x, context))
          return { x, cos, sin, isHalf: false, nodes: [add, keep, turn, concat, ...negated(concat)] };
    }
  }
  return undefined;
}

/** Concat(a · cos − b · sin, b · cos + a · sin) of the halves a and b of x. */
function halfRotation(concat: Node, context: RewriteContext): Rotation | undefined {
  const [first, second, more] = concat.inputs;
  const sub = first?.producer;
  const add = second?.producer;
  if (!sub?.is('Sub') || !add?.is('Add') || more || !first || !second) return undefined;
  if (onlyConsumer(first) !== concat || onlyConsumer(second) !== concat || !isLastAxis(concat, first)) return undefined;
  const [aCos, bSin] = sub.inputs.map((value) => product(value, sub));
  for (const [left, right] of bothOrders(add)) {
    const bCos = product(left, add);
    const aSin = product(right, add);
    if (!aCos || !bSin || !bCos || !aSin) continue;
    for (const [a, cos] of bothOrders(aCos))
      for (const [b, sin] of bothOrders(bSin)) {
        if (!a || !b || !cos || !sin || !isProductOf(bCos, b, cos) || !isProductOf(aSin, a, sin)) continue;
        const x = wholeOf(a, b, context);
        if (x) return { x, cos, sin, isHalf: true, nodes: [concat, sub, add, aCos, bSin, bCos, aSin] };
      }
  }
  return undefined;
}

function bothOrders(node: Node): [Value | undefined, Value | undefined][] {
  const [a, b] = node.inputs;
  return [
    [a, b],
    [b, a],
  ];
}

/** The Mul that computes a value for `reader` alone. */
function product(value: Value | undefined, reader: Node): Node | undefined {
  const node = value?.producer;
  return value && node?.is('Mul') && onlyConsumer(value) === reader ? node : undefined;
}

function isProductOf(node: Node, a: Value, b: Value): boolean {
  return bothOrders(node).some(([left, right]) => left === a && right === b);
}

function negated(concat: Node): Node[] {
  const node = concat.input(0)?.producer;
  return node?.is('Neg') ? [node] : [];
}

/** True for Concat(−second half of x, first half of x). */
function isRotated(concat: Node, x: Value, context: RewriteContext): boolean {
  const [turned, first, more] = concat.inputs;
  if (!turned || !first || more || !isLastAxis(concat, first)) return false;
  const isNeg = turned.producer?.is('Neg') ?? false;
  const second = isNeg ? turned.producer?.input(0) : turned;
  const size = shapeOf(x)?.at(-1);
  if (!second || typeof size !== 'number' || size % 2 !== 0) return false;
  const half = size / 2;
  const isSecond = isPart(second, x, half, half, isNeg ? 1 : -1, context);
  return isSecond && isPart(first, x, 0, half, 1, context);
}

/** The value of which `a` and `b` are the halves along the last axis. */
function wholeOf(a: Value, b: Value, context: RewriteContext): Value | undefined {
  for (const { source } of tracesOf(a, context)) {
    const size = shapeOf(source)?.at(-1);
    if (typeof size !== 'number' || size % 2 !== 0) continue;
    const half = size / 2;
    if (isPart(a, source, 0, half, 1, context) && isPart(b, source, half, half, 1, context)) return source;
  }
  return undefined;
}

function isLastAxis(concat: Node, input: Value): boolean {
  const rank = rankOf(input);
  return rank !== undefined && frontAxis(concat.int('axis', 0), rank) === rank - 1;
}

/** True when `part` is `factor` times the elements from `start` on along the last axis of `whole`, and all along the others. */
export function isPart(
  part: Value,
  whole: Value,
  start: number,
  length: number,
  factor: number,
  context: RewriteContext,
): boolean {
  for (const trace of tracesOf(part, context))
    if (trace.source === whole && trace.factor === factor) return isCut(trace.view, whole, start, length);
  return false;
}

function isCut(view: StridedView, whole: Value, start: number, length: number): boolean {
  const shape = shapeOf(whole);
  const rank = shape?.length ?? 0;
  if (view.axes.length !== rank || (view.offsets.get(rank - 1) ?? 0) !== start) return false;
  return view.axes.every((stretches, axis) => {
    const [stretch, more] = stretches;
    const size = axis === rank - 1 ? length : shape?.[axis];
    if (!stretch) return size === 1;
    if (more || stretch.axis !== axis || stretch.stride !== 1) return false;
    return size === undefined || sameDim(stretch.extent, size);
  });
}
