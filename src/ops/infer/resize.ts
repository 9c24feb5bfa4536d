import type { Dim } from '../../ir/type.js';
import { addDims, floorDivideDim, multiplyDims } from '../dim.js';
import { axesOf, type RuleContext, type RuleTable } from './context.js';
import { unknownShape } from './layout.js';

/** Floor of `size * scale`, in single precision as runtimes compute it. */
function scaled(size: Dim, scale: Dim): Dim {
  if (typeof scale !== 'number' || !(scale > 0)) return undefined;
  if (typeof size === 'number') return Math.floor(Math.fround(Math.fround(scale) * Math.fround(size)));
  if (Number.isInteger(scale)) return multiplyDims(size, scale);
  // A power of two below 1 is exact in binary: h * 0.5 is floor(h/2).
  const inverse = 1 / scale;
  return Number.isInteger(inverse) && Number.isInteger(Math.log2(inverse)) ? floorDivideDim(size, inverse) : undefined;
}

function resize(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const legacy = context.since < 11;
  const scalesSlot = legacy ? 1 : 2;
  const scales = nonEmpty(context, scalesSlot);
  const sizes = legacy ? undefined : nonEmpty(context, 3);
  const axes = context.ints('axes');
  const resolved = axes ? axes.map((axis) => context.axis(axis, shape.length)) : shape.map((_, axis) => axis);
  const policy = context.string('keep_aspect_ratio_policy') ?? 'stretch';
  const dims: Dim[] = [...shape];
  resolved.forEach((axis, at) => {
    if (axis === undefined) return;
    if (sizes) dims[axis] = policy === 'stretch' ? sizes[at] : undefined;
    else dims[axis] = scaled(shape[axis], scales?.[at]);
  });
  context.setShape(0, dims);
}

/** The items of an optional input where an empty tensor means absent. */
function nonEmpty(context: RuleContext, slot: number): readonly Dim[] | undefined {
  const items = context.elements(slot)?.items;
  if (items) return items.length > 0 ? items : undefined;
  const length = context.dim(slot, 0);
  return context.has(slot) && length !== 0 && slot === 3 ? [] : undefined;
}

function upsample(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  if (context.since < 7) {
    context.setShape(0, unknownShape(shape.length));
    return;
  }
  const scales: readonly Dim[] | undefined = context.since < 9 ? context.floats('scales') : context.elements(1)?.items;
  context.setShape(
    0,
    shape.map((dim, axis) => scaled(dim, scales?.[axis])),
  );
}

function pad(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const attribute = context.ints('pads') ?? context.ints('paddings');
  const pads: readonly Dim[] | undefined = attribute ?? (context.has(1) ? context.elements(1)?.items : undefined);
  const given = context.since < 18 ? 'absent' : axesOf(context, 3);
  if (given === 'unknown') {
    context.setShape(0, unknownShape(shape.length));
    return;
  }
  const axes = given === 'absent' ? shape.map((_, axis) => axis) : given;
  if (pads && pads.length !== 2 * axes.length) {
    context.problem(`pads has ${pads.length} entries for ${axes.length} axes`);
    return;
  }
  const dims = [...shape];
  for (const [at, axis] of axes.entries()) {
    const resolved = context.axis(axis, shape.length);
    if (resolved === undefined) return;
    const begin = pads?.[at];
    const end = pads?.[at + axes.length];
    dims[resolved] = pads ? addDims(addDims(dims[resolved], begin), end) : undefined;
  }
  context.setShape(0, dims);
}

function centerCropPad(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const wanted = context.elements(1)?.items;
  const axes = context.ints('axes') ?? shape.map((_, axis) => axis);
  const dims = [...shape];
  for (const [at, axis] of axes.entries()) {
    const resolved = context.axis(axis, shape.length);
    if (resolved !== undefined) dims[resolved] = wanted?.[at];
  }
  context.setShape(0, dims);
}

export const resizeRules: RuleTable = [
  ['Resize', resize],
  ['Upsample', upsample],
  ['Pad', pad],
  ['CenterCropPad', centerCropPad],
];
