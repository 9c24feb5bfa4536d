import type { Dim } from '../../ir/type.js';
import { type AxisId, isOpen, ONE } from '../axis-table.js';
import { type RuleContext, shapeOf } from '../rule-context.js';
import { alignShapes, type OpenAxes } from './align-shapes.js';
import { fromStart } from './rule.js';

/** Squeeze, Unsqueeze: axes keep their order, whatever their sizes are called on both sides; by sizes where it is not said which go. */
export function squeeze(context: RuleContext): void {
  const { node } = context;
  const [x, y] = [context.input(0), context.output()];
  const named = node.ints('axes') ?? context.items(1);
  const longer = node.is('Squeeze') ? x : y;
  if (!x || !y || !longer || !named?.every((axis) => typeof axis === 'number')) {
    reshape(context);
    return;
  }
  const gone = new Set(named.map((axis) => fromStart(axis as number, longer.length)));
  const others = longer.filter((_, at) => !gone.has(at));
  const shorter = longer === x ? y : x;
  if (others.length !== shorter.length) return;
  for (const [at, axis] of others.entries()) context.same(axis, shorter[at]);
}

/** Reshape, Flatten: which axes of one shape are which of the other, by their sizes. */
export function reshape(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const from = dims(context, 0);
  const to = shapeOf(context.node.outputs[0]);
  if (x === undefined || y === undefined || from === undefined || to === undefined) return;
  const { pairs, open } = alignShapes(from, to);
  for (const { left, right } of pairs) {
    if (left.length === 1 && right.length === 1) context.same(x[left[0] as number], y[right[0] as number]);
    else
      regroup(
        context,
        left.map((at) => x[at] as AxisId),
        right.map((at) => y[at] as AxisId),
      );
  }
  for (const end of open) openEnd(context, x, y, end);
  for (const [at, item] of context.items(1)?.entries() ?? []) {
    const isPaired = pairs.some(({ left, right }) => left.includes(at) && right.includes(at));
    if (item === 0 && !isPaired && context.table.scaled(x[at]))
      context.stay(x[at], 'its size is copied to another axis');
  }
}

/**
 * The numbers at one end of what is open have products of which one divides the other: what is over is a factor of the open axis
 * beside the smaller one, on this side of it.
 */
function openEnd(context: RuleContext, x: readonly AxisId[], y: readonly AxisId[], end: OpenAxes): void {
  const { table } = context;
  const of = (axes: readonly AxisId[], places: readonly number[]): AxisId[] =>
    places.map((at) => axes[at] as AxisId).filter((axis) => axis !== ONE);
  const product = (axes: readonly AxisId[]): number => axes.reduce((size, axis) => size * table.size(axis), 1);
  const left = of(x, end.left);
  const right = of(y, end.right);
  const [p, q] = [product(left), product(right)];
  if (p === q || p === 0 || q === 0 || (p % q !== 0 && q % p !== 0)) return;
  const next = p < q ? x[end.nextLeft ?? -1] : y[end.nextRight ?? -1];
  const rest = p < q ? q / p : p / q;
  const scaled = table.scaled(next);
  let factor: AxisId;
  if (scaled && table.size(scaled.outer) === rest) {
    factor = scaled[end.side];
    context.touch(next);
    context.stay(
      end.side === 'outer' ? scaled.inner : scaled.outer,
      'it is the other factor of an axis of unknown size',
    );
  } else {
    factor = context.factor(rest);
    context.stay(factor, 'it is merged into an axis of unknown size');
  }
  const smaller = p < q ? left : right;
  const whole = end.side === 'outer' ? [...smaller, factor] : [factor, ...smaller];
  if (p < q) regroup(context, whole, right);
  else regroup(context, left, whole);
}

function dims(context: RuleContext, slot: number): readonly Dim[] | undefined {
  return context.constant(slot)?.dims ?? shapeOf(context.node.input(slot));
}

/** Axes of equal product: each is a product of the sizes between the cuts of both. */
function regroup(context: RuleContext, left: readonly AxisId[], right: readonly AxisId[]): void {
  const { table } = context;
  const sizes = (axes: readonly AxisId[]): number[] => axes.map((axis) => table.size(axis));
  const cuts = [...new Set([...outerProducts(sizes(left)), ...outerProducts(sizes(right))])].sort((a, b) => a - b);
  const isRegular = cuts.every((cut, at) => at === 0 || cut % (cuts[at - 1] as number) === 0);
  if (!isRegular || [...left, ...right].some(isOpen)) {
    for (const axis of [...left, ...right])
      context.stay(axis, 'it is regrouped in a way that does not keep its indices apart');
    return;
  }
  // Where one side has the factor as an axis of its own, that axis is the factor.
  const factors = new Map<number, AxisId>();
  const factorAt = (cut: number, size: number): AxisId => {
    const known = factors.get(cut);
    if (known !== undefined) return known;
    const own = axisBetween(left, sizes(left), cut, size) ?? axisBetween(right, sizes(right), cut, size);
    const made = own ?? context.factor(size);
    factors.set(cut, made);
    return made;
  };
  for (const axes of [left, right]) {
    let inner = 1;
    for (const axis of [...axes].reverse()) {
      const outer = inner * table.size(axis);
      const within = cuts.filter((cut) => cut >= inner && cut <= outer);
      const parts = within.slice(0, -1).map((cut, at) => factorAt(cut, (within[at + 1] as number) / cut));
      if (parts.length === 1) context.same(axis, parts[0]);
      else if (parts.length > 1) context.product(axis, parts.reverse());
      inner = outer;
    }
  }
}

/** Products of the innermost 0, 1, 2 … sizes. */
function outerProducts(sizes: readonly number[]): number[] {
  const products = [1];
  for (const size of [...sizes].reverse()) products.push((products.at(-1) as number) * size);
  return products;
}

/** The axis that spans exactly `size` from the inner product `cut` on. */
function axisBetween(axes: readonly AxisId[], sizes: readonly number[], cut: number, size: number): AxisId | undefined {
  let inner = 1;
  for (let at = axes.length - 1; at >= 0; at--) {
    if (inner === cut && sizes[at] === size && size > 1) return axes[at];
    inner *= sizes[at] as number;
  }
  return undefined;
}
