import type { Dim } from '../../ir/type.js';
import { addDims, atLeast, ceilDivideDim, isNonNegative, maxDims, minDims, subtractDims } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';
import { gatherElements, numericItems, rowStrides, viewElements } from './elements.js';
import { unknownShape } from './layout.js';

function gather(context: RuleContext): void {
  const shape = context.shape(0);
  const indices = context.shape(1);
  if (!shape || !indices) return;
  const axis = context.axis(context.int('axis'), shape.length);
  if (axis === undefined) return;
  context.setShape(0, [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]);
  const elements = context.elements(0);
  const wanted = context.elements(1);
  if (elements && wanted) context.setElements(0, gatherElements(elements, wanted, axis));
}

function gatherElementsRule(context: RuleContext): void {
  context.setShape(0, context.shape(1));
}

function gatherNd(context: RuleContext): void {
  const data = context.shape(0);
  const indices = context.shape(1);
  const width = indices?.at(-1);
  const batch = context.int('batch_dims') ?? 0;
  if (!data || !indices || typeof width !== 'number') return;
  if (batch + width > data.length || batch >= indices.length) {
    context.problem(`indices of width ${width} do not fit rank ${data.length}`);
    return;
  }
  context.setShape(0, [...indices.slice(0, -1), ...data.slice(batch + width)]);
}

/** Exporters write INT32_MAX or INT64_MAX for "to the end": no symbolic size is taken to reach this. */
const TO_THE_END = 2 ** 31 - 1;

function slice(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const attributes = context.since < 10;
  const starts = attributes ? context.ints('starts') : context.elements(1)?.items;
  const ends = attributes ? context.ints('ends') : context.elements(2)?.items;
  const givenAxes = attributes ? context.ints('axes') : context.has(3) ? context.numbers(3) : undefined;
  const unknownAxes = attributes ? context.hasAttribute('axes') && !givenAxes : context.has(3) && !givenAxes;
  if (unknownAxes) {
    context.setShape(0, unknownShape(shape.length));
    return;
  }
  const count = starts?.length ?? ends?.length ?? numberOr(context.dim(1, 0), shape.length);
  const axes = givenAxes ?? Array.from({ length: count }, (_, at) => at);
  const steps = !attributes && context.has(4) ? context.elements(4)?.items : axes.map(() => 1);
  const dims = [...shape];
  const parts: SlicePart[] = [];
  for (const [at, given] of axes.entries()) {
    const axis = context.axis(given, shape.length);
    if (axis === undefined) return;
    const part = slicePart(shape[axis], starts?.[at], ends?.[at], steps?.[at]);
    dims[axis] = part?.length;
    if (part) parts.push({ ...part, axis });
  }
  context.setShape(0, dims);
  sliceElements(context, dims, parts);
}

interface SlicePart {
  readonly axis: number;
  readonly length: Dim;
  readonly start: number | undefined;
  readonly step: number;
}

function numberOr(dim: Dim, fallback: number): number {
  return typeof dim === 'number' ? Math.min(dim, fallback) : fallback;
}

/** One sliced axis; undefined when its length cannot be known. */
function slicePart(dim: Dim, start: Dim, end: Dim, step: Dim): Omit<SlicePart, 'axis'> | undefined {
  if (typeof step !== 'number' || step === 0 || dim === undefined) return undefined;
  if (typeof dim === 'number' && typeof start === 'number' && typeof end === 'number') {
    if (dim === 0) return { length: 0, start: 0, step };
    const last = step > 0 ? dim : dim - 1;
    const first = step > 0 ? 0 : -1;
    const from = clamp(start < 0 ? start + dim : start, 0, last);
    const to = clamp(end < 0 ? end + dim : end, first, last);
    return { length: Math.max(0, Math.ceil((to - from) / step)), start: from, step };
  }
  if (step < 0) {
    const whole =
      start !== undefined && (start === -1 || reaches(start, dim)) && end !== undefined && isBefore(end, dim);
    return whole && step === -1 ? { length: dim, start: undefined, step } : undefined;
  }
  const length = symbolicLength(dim, start, end);
  if (length === undefined) return undefined;
  const from = bound(start, dim);
  return { length: ceilDivideDim(length, step), start: typeof from === 'number' ? from : undefined, step };
}

/** Length of `[start, end)` in steps of 1; the common forms to and from the end come out short. */
function symbolicLength(dim: Dim, start: Dim, end: Dim): Dim {
  const from = bound(start, dim);
  const to = bound(end, dim);
  if (to !== undefined && to === dim && typeof start === 'number')
    return start < 0 ? minDims(-start, dim) : maxDims(subtractDims(dim, start), 0);
  const length = from === undefined || to === undefined ? undefined : subtractDims(to, from);
  return length === undefined ? undefined : maxDims(length, 0);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** A start or end as an offset from 0 to `dim`. */
function bound(at: Dim, dim: Dim): Dim {
  if (at === undefined) return undefined;
  if (typeof at === 'number' && at >= TO_THE_END) return dim;
  if (typeof at === 'number' && at < 0) return maxDims(addDims(dim, at), 0);
  return isNonNegative(at) ? minDims(at, dim) : undefined;
}

function reaches(start: Dim, dim: Dim): boolean {
  return (typeof start === 'number' && start >= TO_THE_END) || atLeast(addDims(start, 1), dim);
}

function isBefore(end: Dim, dim: Dim): boolean {
  return typeof end === 'number' && (end <= -TO_THE_END || (end < 0 && typeof dim === 'number' && end + dim < 0));
}

function sliceElements(context: RuleContext, dims: readonly Dim[], parts: readonly SlicePart[]): void {
  const elements = context.elements(0);
  if (!elements || elements.dims.length !== dims.length) return;
  const strides = rowStrides(elements.dims);
  let offset = 0;
  const out: number[] = [];
  for (const dim of dims) {
    if (typeof dim !== 'number') return;
    out.push(dim);
  }
  for (const { axis, start, step } of parts) {
    if (start === undefined) return;
    offset += start * (strides[axis] as number);
    strides[axis] = (strides[axis] as number) * step;
  }
  context.setElements(0, viewElements(elements, out, strides, offset));
}

function oneHot(context: RuleContext): void {
  const indices = context.shape(0);
  if (!indices) return;
  const rank = indices.length + 1;
  const axis = context.axis(context.int('axis'), rank);
  if (axis === undefined) return;
  const depth = context.single(1);
  const size = typeof depth === 'number' && !Number.isInteger(depth) ? undefined : depth;
  context.setShape(0, [...indices.slice(0, axis), size, ...indices.slice(axis)]);
}

function topK(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const axis = context.axis(context.int('axis'), shape.length);
  if (axis === undefined) return;
  const k = context.since < 10 ? context.int('k') : context.single(1);
  const dims = shape.map((dim, at) => (at === axis ? k : dim));
  context.setShape(0, dims);
  context.setShape(1, dims);
}

function compress(context: RuleContext): void {
  const axis = context.int('axis');
  if (axis === undefined) {
    context.setShape(0, [undefined]);
    return;
  }
  const shape = context.shape(0);
  const at = shape && context.axis(axis, shape.length);
  if (shape && at !== undefined)
    context.setShape(
      0,
      shape.map((dim, i) => (i === at ? undefined : dim)),
    );
}

function nonZero(context: RuleContext): void {
  const rank = context.rank(0);
  // A scalar counts as a vector of one in some runtimes, so its first dimension is left open.
  context.setShape(0, [rank === 0 ? undefined : rank, undefined]);
  const elements = context.elements(0);
  const items = elements?.dims.length === 1 ? numericItems(elements) : undefined;
  if (!items) return;
  const found = items.flatMap((item, at) => (item !== 0 ? [at] : []));
  context.setShape(0, [1, found.length]);
  context.setElements(0, { dims: [1, found.length], items: found });
}

function unique(context: RuleContext): void {
  const axis = context.int('axis');
  const shape = context.shape(0);
  if (axis === undefined) context.setShape(0, [undefined]);
  else if (shape) {
    const at = context.axis(axis, shape.length);
    if (at !== undefined)
      context.setShape(
        0,
        shape.map((dim, i) => (i === at ? undefined : dim)),
      );
  }
  for (const index of [1, 2, 3]) context.setShape(index, [undefined]);
}

export const indexRules: RuleTable = [
  ['Gather', gather],
  ['GatherElements', gatherElementsRule],
  ['GatherND', gatherNd],
  ['Slice', slice],
  ['OneHot', oneHot],
  ['TopK', topK],
  ['Compress', compress],
  ['NonZero', nonZero],
  ['Unique', unique],
];
