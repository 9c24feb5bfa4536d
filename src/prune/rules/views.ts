import { type AxisId, isOpen, ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { broadcast } from './elementwise.js';
import { reshape, squeeze } from './reshape.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

function transpose(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  const order = context.node.ints('perm') ?? x.map((_, axis) => x.length - 1 - axis);
  for (const [at, axis] of order.entries()) context.same(x[axis], y[at]);
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
    if (isOpen(part) || (y[axis] as AxisId) < 0) {
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
    if (isOpen(part) || whole < 0) {
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
  const starts = old ? context.node.ints('starts') : context.items(1);
  const ends = old ? context.node.ints('ends') : context.items(2);
  const isPlain = old ? context.node.ints('axes') === undefined : !context.has(3);
  const axes = isPlain ? starts?.map((_, at) => at) : old ? context.node.ints('axes') : context.integers(3);
  const steps = old || !context.has(4) ? starts?.map(() => 1) : context.items(4);
  if (axes === undefined || starts === undefined || ends === undefined || steps === undefined) return;
  const sliced = new Map(axes.map((axis, at) => [fromStart(axis, x.length), at]));
  for (const [axis, each] of x.entries()) {
    const at = sliced.get(axis);
    if (at === undefined) {
      context.same(each, y[axis]);
      continue;
    }
    const result = y[axis] as AxisId;
    const size = context.table.size(each);
    const [start, end, step] = [starts[at], ends[at], steps[at]];
    if (each < 0 || isOpen(result)) continue;
    if (typeof start !== 'number' || typeof end !== 'number' || typeof step !== 'number' || step === 0) continue;
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
  if (context.constant(0)) context.mark(x.at(-1), 'produces');
  const picked = context.integers(1) ?? wholeNumbers(context);
  const data = x[axis] as AxisId;
  if (picked === undefined || data < 0) {
    for (const [at, each] of indices.entries()) context.same(each, y[axis + at]);
    return;
  }
  const size = context.table.size(data);
  const result = indices.length === 1 ? (y[axis] as AxisId) : ONE;
  // Known indices are written anew where what they pick is cut.
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
  const pads = context.opset < 11 ? context.node.ints('pads') : context.items(1);
  const given = context.has(3) ? context.integers(3) : x.map((_, axis) => axis);
  if (pads === undefined || given === undefined || pads.length !== 2 * given.length) return;
  const isConstant = context.node.string('mode', 'constant') === 'constant';
  const at = new Map(given.map((axis, index) => [fromStart(axis, x.length), index]));
  for (const [axis, each] of x.entries()) {
    const index = at.get(axis);
    const before = index === undefined ? 0 : pads[index];
    const after = index === undefined ? 0 : pads[index + given.length];
    if (typeof before !== 'number' || typeof after !== 'number') continue;
    if (before === 0 && after === 0) context.same(each, y[axis]);
    else if (isConstant && before >= 0 && after >= 0 && each >= 0 && (y[axis] as AxisId) >= 0)
      context.run(each, 0, 1, y[axis] as AxisId, before, 1, context.table.size(each));
  }
}

/** Sizes of 1 are repeated: the result's axis then depends on the shape alone. */
function expand(context: RuleContext): void {
  broadcast(context, [0]);
  context.touch(...(context.output() ?? []));
}

function tile(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const repeats = context.items(1);
  if (x === undefined || y === undefined || repeats === undefined) return;
  for (const [axis, each] of x.entries()) {
    const count = repeats[axis];
    const result = y[axis];
    if (count === 1) context.same(each, result);
    else if (each === ONE && typeof count === 'number') context.touch(result);
    else if (typeof count === 'number') context.product(result, [context.factor(count), each], 1);
  }
}

/** Axes that are not resized pass; the others are interpolated. */
function resize(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  if (context.node.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize') return;
  for (const [axis, each] of x.entries()) if (isKept(context, axis, x.length)) context.same(each, y[axis]);
}

/** Whether an axis has the same positions before and after. */
function isKept(context: RuleContext, axis: number, rank: number): boolean {
  const axes = context.node.ints('axes')?.map((each) => fromStart(each, rank));
  const at = axes === undefined ? axis : axes.indexOf(axis);
  if (at < 0) return true;
  const scalesSlot = context.node.is('Upsample') || context.opset < 11 ? 1 : 2;
  const scales = context.node.floats('scales') ?? context.constant(scalesSlot)?.float32Array();
  if (scales !== undefined && scales.length > 0) return scales[at] === 1;
  if (context.has(scalesSlot) && !context.has(3)) return context.items(scalesSlot)?.[at] === 1;
  const [before, after] = [context.input(0)?.[axis], context.output()?.[axis]];
  return before === after || (before !== undefined && context.table.size(before) === context.table.size(after ?? ONE));
}

/** Reads sizes only, and is made to give those of before where they are cut: what is computed with them stays as it was. */
function shape(context: RuleContext): void {
  if (context.node.output().isGraphOutput)
    for (const axis of context.input(0) ?? []) context.stay(axis, 'its size is an output of the model');
  context.touch(...(context.input(0) ?? []));
}

function filled(context: RuleContext): void {
  context.touch(...(context.output() ?? []));
}

/** Channels pass; over the others, elements are picked by positions that are computed. */
function sampled(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  context.same(x?.[1], y?.[1]);
}

/** A triangle of the last two axes is kept; the others pass. */
function triangle(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x !== undefined && y !== undefined) context.sameAll(x.slice(0, -2), y.slice(0, -2));
}

/** Along one axis, as far as lengths say, the order is turned; the others but the batch pass. */
function reversed(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  const fixed = [context.node.int('batch_axis', 1), context.node.int('time_axis', 0)];
  for (const [at, each] of x?.entries() ?? []) if (!fixed.includes(at)) context.same(each, y?.[at]);
}

export const VIEW_RULES: AxisRules = new Map([
  ...rulesFor('Transpose', transpose),
  ...rulesFor('Reshape Flatten', reshape),
  ...rulesFor('Squeeze Unsqueeze', squeeze),
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
  ...rulesFor('RoiAlign MaxRoiPool GridSample', sampled),
  ...rulesFor('Trilu', triangle),
  ...rulesFor('ReverseSequence', reversed),
]);
