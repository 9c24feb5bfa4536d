import type { Dim } from '../../ir/type.js';
import { type AxisId, ONE, OPEN } from '../axis-table.js';
import { type RuleContext, shapeOf } from '../rule-context.js';
import { alignShapes } from './align-shapes.js';
import { broadcast } from './elementwise.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

function transpose(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const order = context.node.ints('perm') ?? x.map((_, axis) => x.length - 1 - axis);
  for (const [at, axis] of order.entries()) context.same(x[axis], y[at]);
}

/** Reshape, Flatten, Squeeze, Unsqueeze: which axes of one shape are which of the other, by their sizes. */
function reshape(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const from = dims(context, 0);
  const to = shapeOf(context.node.outputs[0]);
  if (x === undefined || y === undefined || from === undefined || to === undefined) return;
  for (const { left, right } of alignShapes(from, to)) {
    if (left.length === 1 && right.length === 1) context.same(x[left[0] as number], y[right[0] as number]);
    else
      regroup(
        context,
        left.map((at) => x[at] as AxisId),
        right.map((at) => y[at] as AxisId),
      );
  }
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
  if (!isRegular || [...left, ...right].includes(OPEN)) {
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

function concat(context: RuleContext): void {
  const y = context.output();
  if (y === undefined) return;
  const axis = fromStart(context.node.int('axis', 1), y.length);
  let start = 0;
  for (const slot of context.node.inputs.keys()) {
    const x = context.input(slot);
    if (x?.length !== y.length) {
      for (const each of y) context.stay(each, 'the rank of an operand is not known');
      return;
    }
    for (const [at, each] of x.entries()) if (at !== axis) context.same(each, y[at]);
    const part = x[axis] as AxisId;
    const size = context.table.size(part);
    if (part === OPEN || (y[axis] as AxisId) < 0) {
      context.stay(y[axis], 'the size of a part is not known');
      context.stay(part, 'the size of the whole is not known');
    } else if (part === ONE) context.stay(y[axis], 'it is a part of size 1', start, 1);
    else context.run(part, 0, 1, y[axis] as AxisId, start, 1, size);
    start += size;
  }
}

function split(context: RuleContext): void {
  const x = context.input(0);
  if (x === undefined) return;
  const axis = fromStart(context.node.int('axis', 0), x.length);
  let start = 0;
  for (const index of context.node.outputs.keys()) {
    const y = context.output(index);
    if (y?.length !== x.length) {
      for (const each of x) context.stay(each, 'a part of it is not known');
      return;
    }
    for (const [at, each] of y.entries()) if (at !== axis) context.same(each, x[at]);
    const part = y[axis] as AxisId;
    const whole = x[axis] as AxisId;
    const size = context.table.size(part);
    if (part === OPEN || whole < 0) {
      context.stay(whole, 'the size of a part is not known');
      context.stay(part, 'the size of the whole is not known');
    } else if (part === ONE) context.stay(whole, 'a part of it has size 1', start, 1);
    else context.run(whole, start, 1, part, 0, 1, size);
    start += size;
  }
}

function slice(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const old = context.opset < 10;
  const starts = old ? context.node.ints('starts') : context.integers(1);
  const axes = (old ? context.node.ints('axes') : context.integers(3)) ?? starts?.map((_, at) => at);
  const axesKnown = old || !context.has(3) || context.integers(3) !== undefined;
  const steps = (old ? undefined : context.integers(4)) ?? starts?.map(() => 1);
  if (axes === undefined || !axesKnown) return;
  const sliced = new Map(axes.map((axis, at) => [fromStart(axis, x.length), at]));
  for (const [axis, each] of x.entries()) {
    const at = sliced.get(axis);
    if (at === undefined) {
      context.same(each, y[axis]);
      continue;
    }
    const result = y[axis] as AxisId;
    const size = context.table.size(each);
    const start = starts?.[at];
    const step = steps?.[at];
    if (each < 0 && result < 0) continue;
    if (each < 0 || result === OPEN || start === undefined || step === undefined || step === 0) continue;
    const first = Math.min(Math.max(start < 0 ? start + size : start, 0), step < 0 ? size - 1 : size);
    if (result === ONE) context.stay(each, 'one index of it is picked', first, 1);
    else context.run(each, first, step, result, 0, 1, context.table.size(result));
  }
}

function gather(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const indices = context.input(1);
  if (x === undefined || y === undefined || indices === undefined) return;
  const axis = fromStart(context.node.int('axis', 0), x.length);
  for (const [at, each] of x.entries()) {
    if (at < axis) context.same(each, y[at]);
    else if (at > axis) context.same(each, y[at - 1 + indices.length]);
  }
  for (const [at, each] of indices.entries())
    if (each < 0) context.touch(each);
    else if (!context.constant(1)) context.same(each, y[axis + at]);
  if (context.constant(0)) context.mark(x.at(-1), 'produces');
  const picked = context.integers(1) ?? wholeNumbers(context);
  const data = x[axis] as AxisId;
  if (picked === undefined || data < 0) return;
  const size = context.table.size(data);
  const result = indices.length === 1 ? (y[axis] as AxisId) : ONE;
  context.touch(data, ...indices);
  for (const [at, index] of picked.entries()) {
    const from = fromStart(index, size);
    if (result >= 0) context.run(data, from, 1, result, at, 1, 1);
    else context.stay(data, 'one index of it is picked', from, 1);
  }
}

/** Indices of a constant that is too long to be carried by inference. */
function wholeNumbers(context: RuleContext): readonly number[] | undefined {
  const tensor = context.constant(1);
  return tensor && tensor.rank <= 1 && tensor.size <= 1 << 20 ? tensor.integers() : undefined;
}

function pad(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const pads = context.opset < 11 ? context.node.ints('pads') : context.integers(1);
  const given = context.has(3) ? context.integers(3) : x.map((_, axis) => axis);
  if (pads === undefined || given === undefined) return;
  const isConstant = context.node.string('mode', 'constant') === 'constant';
  const at = new Map(given.map((axis, index) => [fromStart(axis, x.length), index]));
  for (const [axis, each] of x.entries()) {
    const index = at.get(axis);
    const before = index === undefined ? 0 : (pads[index] as number);
    const after = index === undefined ? 0 : (pads[index + given.length] as number);
    if (before === 0 && after === 0) context.same(each, y[axis]);
    else if (isConstant && before >= 0 && after >= 0 && each >= 0 && (y[axis] as AxisId) >= 0)
      context.run(each, 0, 1, y[axis] as AxisId, before, 1, context.table.size(each));
  }
}

/** Sizes of 1 are repeated: the result's axis then depends on the shape alone. */
function expand(context: RuleContext): void {
  broadcast(context, [0]);
  context.touch(...(context.input(1) ?? []));
}

function tile(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const repeats = context.integers(1);
  if (x === undefined || y === undefined || repeats === undefined) return;
  for (const [axis, each] of x.entries()) {
    const count = repeats[axis] ?? 1;
    if (count === 1) context.same(each, y[axis]);
    else if (each === ONE) context.touch(y[axis]);
    else context.product(y[axis], [context.factor(count), each], 1);
  }
}

/** Axes of unchanged size pass; the others are interpolated. */
function resize(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  for (const [axis, each] of x.entries())
    if (each >= 0 && context.table.size(each) === context.table.size(y[axis] as AxisId) && axis < 2)
      context.same(each, y[axis]);
}

/** Reads sizes only. Whether they end as numbers of a computation is looked at elsewhere. */
function shape(context: RuleContext): void {
  context.touch(...(context.input(0) ?? []));
}

function filled(context: RuleContext): void {
  context.touch(...(context.output() ?? []));
}

export const VIEW_RULES: AxisRules = new Map([
  ...rulesFor('Transpose', transpose),
  ...rulesFor('Reshape Flatten Squeeze Unsqueeze', reshape),
  ...rulesFor('Concat', concat),
  ...rulesFor('Split', split),
  ...rulesFor('Slice', slice),
  ...rulesFor('Gather', gather),
  ...rulesFor('Pad', pad),
  ...rulesFor('Expand', expand),
  ...rulesFor('Tile', tile),
  ...rulesFor('Resize Upsample', resize),
  ...rulesFor('Shape', shape),
  ...rulesFor('ConstantOfShape', filled),
]);
