/** Elements in another order: views of the input that are copied, byte for byte, when they are read. */
import type { Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { numbersOf } from './lane.js';
import { cellsFor, movedTensor, type SizeLimit, viewedTensor } from './moved-tensor.js';
import { broadcastView, type ViewAxis, wholeView } from './strided-view.js';

function transpose(context: KernelContext): Tensor {
  const data = context.input(0);
  const perm = context.ints('perm') ?? data.dims.map((_, axis) => data.rank - 1 - axis);
  if (perm.length !== data.rank || perm.some((axis) => axis < 0))
    refuse(`perm [${perm.join(',')}] does not fit rank ${data.rank}`);
  return permuted(context, data, context.axes(perm, data.rank));
}

/** A tensor with its axes in another order, under another shape if given. */
export function permuted(context: SizeLimit, data: Tensor, perm: readonly number[], dims?: readonly number[]): Tensor {
  const { axes } = wholeView(data.dims);
  const view = { axes: perm.map((axis) => axes[axis] as ViewAxis), offset: 0 };
  return viewedTensor(context, data, view, dims ?? view.axes.map((axis) => axis.size));
}

function expand(context: KernelContext): Tensor {
  const data = context.input(0);
  const wanted = context.integers(1) ?? refuse('the shape is missing');
  const dims = broadcastDims([data.dims, wanted]);
  return viewedTensor(context, data, broadcastView(data.dims, dims), dims);
}

function tile(context: KernelContext): Tensor {
  const data = context.input(0);
  const repeats = context.since < 6 ? oldRepeats(context, data) : context.integers(1);
  if (repeats?.length !== data.rank) refuse(`the repeats do not fit rank ${data.rank}`);
  const dims = data.dims.map((dim, axis) => dim * (repeats[axis] as number));
  context.allow(data.dataType, dims);
  const axes = wholeView(data.dims).axes.flatMap((axis, at) => [{ size: repeats[at] as number, stride: 0 }, axis]);
  return viewedTensor(context, data, { axes, offset: 0 }, dims);
}

/** Before version 6 one axis was repeated. */
function oldRepeats(context: KernelContext, data: Tensor): number[] {
  const single = (slot: number) => {
    const [value, ...more] = numbersOf(context.input(slot));
    return value === undefined || more.length > 0 ? refuse(`input ${slot} must have one element`) : value;
  };
  const at = context.axis(single(2), data.rank);
  return data.dims.map((_, axis) => (axis === at ? single(1) : 1));
}

function slice(context: KernelContext): Tensor {
  const data = context.input(0);
  const starts = context.attributeOrInput('starts', 1) ?? refuse('starts are missing');
  const ends = context.attributeOrInput('ends', 2) ?? refuse('ends are missing');
  const axes = context.axes(context.attributeOrInput('axes', 3) ?? starts.map((_, at) => at), data.rank);
  const steps = context.since < 10 ? undefined : context.integers(4);
  for (const list of [ends, axes, steps ?? starts])
    if (list.length !== starts.length) refuse('starts, ends, axes and steps differ in length');
  const view = wholeView(data.dims);
  const sliced = [...view.axes];
  let offset = 0;
  for (const [at, axis] of axes.entries()) {
    const { size, stride } = sliced[axis] as ViewAxis;
    const range = sliceRange(size, starts[at] as number, ends[at] as number, steps?.[at] ?? 1);
    sliced[axis] = { size: range.length, stride: stride * range.step };
    offset += range.start * stride;
  }
  const dims = sliced.map((axis) => axis.size);
  return viewedTensor(context, data, { axes: sliced, offset }, dims);
}

/** Exporters write INT32_MAX or INT64_MAX for "to the end". */
const TO_THE_END = 2 ** 31 - 1;

/** What `start:end:step` takes of an axis, as ONNX's Slice clamps it. */
function sliceRange(
  size: number,
  start: number,
  end: number,
  step: number,
): { readonly start: number; readonly length: number; readonly step: number } {
  if (step === 0) refuse('a step is 0');
  // Said forwards it means "to the last"; backwards ONNX Runtime takes it as "to the first", others as nothing at all.
  if (step < 0 && end >= TO_THE_END) refuse('an end out of range with a negative step is not specified');
  if (size === 0) return { start: 0, length: 0, step: 1 };
  const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));
  const from = clamp(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
  const to = clamp(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
  const length = Math.max(0, Math.ceil((to - from) / step));
  // A step beyond the axis takes one element, whatever its exact size.
  return { start: from, length, step: length > 1 ? step : 1 };
}

function split(context: KernelContext): Tensor[] {
  const data = context.input(0);
  const axis = context.axis(context.int('axis') ?? 0, data.rank);
  const count = context.outputCount;
  const whole = data.dims[axis] as number;
  const sizes = context.ints('split') ?? context.integers(1) ?? equalSizes(context, whole, count);
  if (sizes.length !== count || sizes.some((size) => size < 0) || sizes.reduce((sum, size) => sum + size, 0) !== whole)
    refuse(`size ${whole} does not split into ${count} parts [${sizes.join(',')}]`);
  const view = wholeView(data.dims);
  let start = 0;
  return sizes.map((size) => {
    const axes = view.axes.map((own, at) => (at === axis ? { size, stride: own.stride } : own));
    const offset = start * (view.axes[axis] as ViewAxis).stride;
    start += size;
    return viewedTensor(
      context,
      data,
      { axes, offset },
      axes.map((own) => own.size),
    );
  });
}

/** Without sizes the parts are equal; with `num_outputs` (version 18) the last one takes what is left. */
function equalSizes(context: KernelContext, whole: number, count: number): number[] {
  const wanted = context.int('num_outputs');
  if (wanted !== undefined && wanted !== count) refuse(`num_outputs is ${wanted}, but there are ${count} outputs`);
  const size = wanted === undefined ? whole / count : Math.ceil(whole / count);
  if (!Number.isInteger(size)) refuse(`size ${whole} does not split into ${count} equal parts`);
  return Array.from({ length: count }, (_, at) => (at < count - 1 ? size : whole - size * (count - 1)));
}

function concat(context: KernelContext): Tensor {
  const parts = context.allInputs();
  const [first] = parts;
  if (!first) return refuse('it has no inputs');
  // The first version had a default of 1.
  const axis = context.axis(context.int('axis') ?? (context.since < 4 ? 1 : refuse('the axis is missing')), first.rank);
  return concatenated(context, parts, axis);
}

/** Tensors of one type joined along an axis. */
export function concatenated(context: KernelContext, parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  if (!first) return refuse('it has no inputs');
  for (const part of parts)
    if (part.rank !== first.rank || part.dims.some((dim, at) => at !== axis && dim !== first.dims[at]))
      refuse(`shapes [${first.dims.join(',')}] and [${part.dims.join(',')}] do not join along axis ${axis}`);
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + (part.dims[axis] as number), 0);
  const dims = first.dims.map((dim, at) => (at === axis ? length : dim));
  const cells = cellsFor(first);
  const runs = parts.map((part) => part.dims.slice(axis).reduce((product, dim) => product * dim, cells.words));
  const row = runs.reduce((sum, run) => sum + run, 0);
  return movedTensor(context, cells, dims, parts, () => {
    const loaded = parts.map((part) => cells.load(part));
    return (target, from, count) => {
      let outer = Math.floor(from / row);
      let column = from % row;
      for (let at = 0; at < count; outer++, column = 0) {
        let start = 0;
        for (let part = 0; part < runs.length && at < count; part++) {
          const run = runs[part] as number;
          const skip = Math.max(0, column - start);
          start += run;
          if (skip >= run) continue;
          const taken = Math.min(run - skip, count - at);
          const source = loaded[part] as Uint32Array;
          const place = outer * run + skip;
          target.set(source.subarray(place, place + taken), at);
          at += taken;
        }
      }
    };
  });
}

function depthToSpace(context: KernelContext): Tensor {
  const data = context.input(0);
  const block = context.requiredInt('blocksize');
  const [n, c, h, w] = imageDims(data);
  if (block < 1 || c % (block * block) !== 0) refuse(`${c} channels do not divide by blocks of ${block}`);
  const depth = c / (block * block);
  const columnFirst = context.string('mode') === 'CRD';
  const blocks = columnFirst ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w];
  const perm = columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return permuted(context, data.reshaped(blocks), perm, [n, depth, h * block, w * block]);
}

function spaceToDepth(context: KernelContext): Tensor {
  const data = context.input(0);
  const block = context.requiredInt('blocksize');
  const [n, c, h, w] = imageDims(data);
  if (block < 1 || h % block !== 0 || w % block !== 0) refuse(`[${h},${w}] does not divide by blocks of ${block}`);
  const blocks = data.reshaped([n, c, h / block, block, w / block, block]);
  // Version 28 would be the first with other orders: this one is depth column row.
  return permuted(context, blocks, [0, 3, 5, 1, 2, 4], [n, c * block * block, h / block, w / block]);
}

function imageDims(data: Tensor): [number, number, number, number] {
  if (data.rank !== 4) refuse(`the input has rank ${data.rank}, not 4`);
  return data.dims as [number, number, number, number];
}

export const layoutKernels: KernelTable = [
  ['Transpose', transpose],
  ['Expand', expand],
  ['Tile', tile],
  ['Slice', slice],
  ['Split', split],
  ['Concat', concat],
  ['DepthToSpace', depthToSpace],
  ['SpaceToDepth', spaceToDepth],
];
