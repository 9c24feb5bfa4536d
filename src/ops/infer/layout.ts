import type { Dim, Shape } from '../../ir/type.js';
import { addDims, divideDimsExactly, divideProducts, multiplyDims, productOfDims, symbolsOf } from '../dim.js';
import { broadcastDim } from './broadcast.js';
import { axesOf, type RuleContext, type RuleTable } from './context.js';
import {
  broadcastElements,
  concatElements,
  type Elements,
  gatherElements,
  listElements,
  MAX_ELEMENTS,
  numericDims,
  reshapeElements,
  rowStrides,
  viewElements,
} from './elements.js';
import { broadcast } from './elementwise.js';
import { unifyDims } from './merge.js';

/** `count` unknown dimensions; undefined when the count is not a number. */
export function unknownShape(count: Dim): Shape {
  return typeof count === 'number' && count <= 64 ? new Array<Dim>(count).fill(undefined) : undefined;
}

function reshape(context: RuleContext): void {
  const attribute = context.since < 5 ? context.ints('shape') : undefined;
  const wanted = attribute ?? context.elements(1)?.items;
  if (!wanted) {
    context.setShape(0, unknownShape(context.dim(1, 0)));
    return;
  }
  const input = context.shape(0);
  const keepZero = context.int('allowzero') === 1;
  const dims: Dim[] = wanted.map((dim, axis) => (dim === 0 && !keepZero ? input?.[axis] : dim));
  const open = dims.flatMap((dim, axis) => (dim === -1 || dim === undefined ? [axis] : []));
  const [only] = open;
  if (open.length === 1 && only !== undefined) {
    dims[only] = input && divideProducts(input, [...dims.slice(0, only), ...dims.slice(only + 1)]);
    const total = input && numericDims(input);
    if (total && dims[only] === undefined && numericDims(dims.filter((_, at) => at !== only)))
      context.problem(`[${input.join(',')}] cannot be reshaped to [${wanted.map((d) => d ?? '?').join(',')}]`, 'shape');
  }
  const shape = dims.map((dim) => (dim === -1 ? undefined : dim));
  if (!keepZero && input && open.length === 0) leaveOpenZeros(shape, input);
  context.setShape(0, shape);
  context.setElements(0, reshapeElements(context.elements(0), shape));
}

/**
 * A size in the target that comes out as 0 at run time means "copy", and the result has another size there. Where that
 * size is a factor of the number of elements and of no other size of the target, it takes a second size of 0 for it to be
 * possible, which is not modelled; else, as M in [S, 1] → [S, M], it is not taken for granted.
 */
function leaveOpenZeros(shape: Dim[], input: readonly Dim[]): void {
  const count = productOfDims(input);
  if (count === undefined) return;
  const wanted = [...shape];
  for (const [axis, dim] of wanted.entries()) {
    if (typeof dim !== 'string' || dim === input[axis]) continue;
    const symbols = symbolsOf(dim);
    const isAlone = wanted.every(
      (other, at) => at === axis || !symbolsOf(other).some((name) => symbols.includes(name)),
    );
    if (!isAlone || divideDimsExactly(count, dim) === undefined) shape[axis] = undefined;
  }
}

function transpose(context: RuleContext): void {
  const shape = context.shape(0);
  const perm = context.ints('perm');
  if (!shape) {
    context.setShape(0, unknownShape(perm?.length));
    return;
  }
  const order = perm ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (
    order.length !== shape.length ||
    new Set(order).size !== order.length ||
    order.some((a) => a < 0 || a >= shape.length)
  ) {
    context.problem(`perm [${order.join(',')}] is not a permutation of ${shape.length} axes`);
    return;
  }
  context.setShape(
    0,
    order.map((axis) => shape[axis]),
  );
  const elements = context.elements(0);
  if (!elements || elements.dims.length !== order.length) return;
  const strides = rowStrides(elements.dims);
  const dims = order.map((axis) => elements.dims[axis] as number);
  context.setElements(
    0,
    viewElements(
      elements,
      dims,
      order.map((axis) => strides[axis] as number),
      0,
    ),
  );
}

function flatten(context: RuleContext): void {
  const shape = context.shape(0);
  const axis = shape && context.axis(context.int('axis'), shape.length, shape.length + 1);
  context.setShape(
    0,
    shape && axis !== undefined
      ? [productOfDims(shape.slice(0, axis)), productOfDims(shape.slice(axis))]
      : unknownShape(2),
  );
  const output = context.outputType(0);
  if (output?.kind === 'tensor') context.setElements(0, reshapeElements(context.elements(0), output.shape));
}

function squeeze(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const given = axesOf(context, 1);
  if (given === 'unknown') {
    const count = context.dim(1, 0);
    context.setShape(0, typeof count === 'number' ? unknownShape(shape.length - count) : undefined);
    return;
  }
  let dims: Dim[];
  if (given === 'absent') {
    // Without axes every 1 goes: with a symbol in the shape not even the rank is known.
    if (!numericDims(shape)) return;
    dims = shape.filter((dim) => dim !== 1);
  } else {
    const axes = context.axes(given, shape.length);
    if (!axes) return;
    for (const axis of axes) {
      const dim = shape[axis];
      if (typeof dim === 'number' && dim !== 1) context.problem(`axis ${axis} has size ${dim} and cannot be squeezed`);
    }
    dims = shape.filter((_, axis) => !axes.includes(axis));
  }
  context.setShape(0, dims);
  context.setElements(0, reshapeElements(context.elements(0), dims));
}

function unsqueeze(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const given = axesOf(context, 1);
  if (given === 'unknown' || given === 'absent') {
    const count = context.dim(1, 0);
    context.setShape(0, typeof count === 'number' ? unknownShape(shape.length + count) : undefined);
    return;
  }
  const axes = context.axes(given, shape.length + given.length);
  if (!axes || axes.length !== given.length) return;
  const dims: Dim[] = [];
  let next = 0;
  for (let axis = 0; axis < shape.length + axes.length; axis++) dims.push(axes.includes(axis) ? 1 : shape[next++]);
  context.setShape(0, dims);
  context.setElements(0, reshapeElements(context.elements(0), dims));
}

function concat(context: RuleContext): void {
  const shapes = context.node.inputs.map((_, slot) => context.shape(slot));
  const known = shapes.find((shape) => shape);
  if (!known) return;
  const rank = known.length;
  // Opset 1 had a default axis of 1.
  const axis = context.axis(context.int('axis') ?? (context.since < 4 ? 1 : undefined), rank);
  if (axis === undefined) return;
  const dims: Dim[] = new Array<Dim>(rank).fill(undefined);
  dims[axis] = 0;
  for (const shape of shapes) {
    if (shape && shape.length !== rank) {
      context.problem(`inputs have ranks ${rank} and ${shape.length}`);
      return;
    }
    for (let at = 0; at < rank; at++) {
      const dim = shape?.[at];
      if (at === axis) dims[at] = dims[at] === undefined ? undefined : addDims(dims[at], dim);
      else
        dims[at] = unifyDims(dims[at], dim, () =>
          context.problem(`inputs differ in axis ${at}: ${dims[at]} and ${dim}`),
        );
    }
  }
  context.setShape(0, dims);
  const parts = shapes.map((_, slot) => context.partialElements(slot));
  const complete = parts.filter((part): part is Elements => part !== undefined);
  if (complete.length === parts.length && complete.some((part) => part.items.some((item) => item !== undefined)))
    context.setElements(0, concatElements(complete, axis));
}

function split(context: RuleContext): void {
  const shape = context.shape(0);
  const count = context.outputCount;
  const given = context.ints('split') ?? (context.has(1) ? context.elements(1)?.items : undefined);
  const unknown = context.has(1) && !given;
  if (!shape) return;
  const axis = context.axis(context.int('axis') ?? 0, shape.length);
  if (axis === undefined) return;
  const whole = shape[axis];
  const sizes: readonly Dim[] = given ?? (unknown ? [] : equalParts(context, whole, count));
  if (given && given.length !== count) context.problem(`split has ${given.length} sizes for ${count} outputs`);
  let start = 0;
  for (let index = 0; index < count; index++) {
    context.setShape(
      index,
      shape.map((dim, at) => (at === axis ? sizes[index] : dim)),
    );
    const elements = context.elements(0);
    const size = sizes[index];
    if (elements && typeof size === 'number' && Number.isFinite(start)) {
      const range = Array.from({ length: size }, (_, at) => start + at);
      context.setElements(index, gatherElements(elements, listElements(range), axis));
      start += size;
    } else start = Number.NaN;
  }
}

/** Without sizes the parts are equal; with `num_outputs` (opset 18) the last one takes what is left. */
function equalParts(context: RuleContext, whole: Dim, count: number): Dim[] {
  if (typeof whole === 'number' && context.hasAttribute('num_outputs')) {
    const size = Math.ceil(whole / count);
    return Array.from({ length: count }, (_, at) => Math.max(Math.min(size, whole - at * size), 0));
  }
  if (typeof whole === 'number' && whole % count !== 0) {
    context.problem(`size ${whole} does not split into ${count} equal parts`);
    return [];
  }
  return new Array<Dim>(count).fill(divideDimsExactly(whole, count));
}

function expand(context: RuleContext): void {
  const wanted = context.elements(1)?.items;
  const input = context.shape(0);
  if (wanted) {
    const shape = broadcast(context, [input, wanted]);
    context.setShape(0, shape);
    const dims = numericDims(shape);
    const elements = context.elements(0);
    if (dims && elements) context.setElements(0, broadcastElements(elements, dims));
    return;
  }
  const length = context.dim(1, 0);
  if (!input || typeof length !== 'number') return;
  const rank = Math.max(length, input.length);
  // An unknown wanted size cannot shrink a dimension above 1.
  context.setShape(
    0,
    Array.from({ length: rank }, (_, axis) => {
      const own = axis < rank - input.length ? 1 : input[axis - (rank - input.length)];
      return axis < rank - length ? own : broadcastDim(own, undefined);
    }),
  );
}

function tile(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  if (context.since < 6) {
    context.setShape(0, unknownShape(shape.length));
    return;
  }
  const repeats = context.elements(1)?.items;
  const dims = shape.map((dim, axis) => (repeats ? multiplyDims(dim, repeats[axis]) : undefined));
  context.setShape(0, dims);
  const out = numericDims(dims);
  const elements = context.elements(0);
  if (elements && out && elements.dims.length === 1)
    context.setElements(0, viewElements({ dims: out, items: repeat(elements.items, out[0] ?? 0) }, out, [1], 0));
}

function repeat(items: readonly Dim[], count: number): Dim[] {
  return items.length === 0 || count > MAX_ELEMENTS
    ? []
    : Array.from({ length: count }, (_, at) => items[at % items.length]);
}

function depthToSpace(context: RuleContext): void {
  const shape = context.shape(0);
  const block = context.int('blocksize');
  if (shape?.length !== 4 || !block) return;
  const [n, c, h, w] = shape;
  context.setShape(0, [n, divideDimsExactly(c, block * block), multiplyDims(h, block), multiplyDims(w, block)]);
}

function spaceToDepth(context: RuleContext): void {
  const shape = context.shape(0);
  const block = context.int('blocksize');
  if (shape?.length !== 4 || !block) return;
  const [n, c, h, w] = shape;
  context.setShape(0, [n, multiplyDims(c, block * block), divideDimsExactly(h, block), divideDimsExactly(w, block)]);
}

export const layoutRules: RuleTable = [
  ['Reshape', reshape],
  ['Transpose', transpose],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Concat', concat],
  ['Split', split],
  ['Expand', expand],
  ['Tile', tile],
  ['DepthToSpace', depthToSpace],
  ['SpaceToDepth', spaceToDepth],
];
