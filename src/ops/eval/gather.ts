/** Elements taken by index. */
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { rowStrides } from '../infer/elements.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { viewedTensor } from './moved-tensor.js';
import { type ViewAxis, wholeView } from './strided-view.js';

/** An index counted from the front. */
export function resolvedIndex(index: number, size: number): number {
  const resolved = index < 0 ? index + size : index;
  return resolved >= 0 && resolved < size ? resolved : refuse(`index ${index} is out of range for size ${size}`);
}

function gather(context: KernelContext): Tensor {
  const data = context.input(0);
  const indices = context.input(1);
  const axis = context.axis(context.int('axis') ?? 0, data.rank);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  context.allow(data.dataType, dims);
  return selected(context, data, axis, context.integers(1) ?? [], dims);
}

/** The slices of an axis that have these indices, in their order. */
export function selected(
  context: KernelContext,
  data: Tensor,
  axis: number,
  indices: readonly number[],
  dims: readonly number[],
): Tensor {
  const { axes } = wholeView(data.dims);
  const { size, stride } = axes[axis] as ViewAxis;
  const offsets = Float64Array.from(indices, (index) => resolvedIndex(index, size) * stride);
  const [first] = offsets;
  // One slice needs no table, and may be a run.
  const offset = offsets.length === 1 && first !== undefined ? first : 0;
  const chosen: ViewAxis = offsets.length === 1 ? { size: 1, stride: 0 } : { size: offsets.length, stride: 0, offsets };
  return viewedTensor(context, data, { axes: axes.map((own, at) => (at === axis ? chosen : own)), offset }, dims);
}

function gatherElements(context: KernelContext): Tensor {
  const data = context.input(0);
  const indices = context.input(1);
  const axis = context.axis(context.int('axis') ?? 0, data.rank);
  context.allow(data.dataType, indices.dims);
  const offsets = elementOffsets(data.dims, indices.dims, axis, context.integers(1) ?? []);
  return viewedTensor(context, data, { axes: [{ size: offsets.length, stride: 0, offsets }], offset: 0 }, indices.dims);
}

/** For each index, the element of a tensor of shape `dims` at its own place but for one axis. */
export function elementOffsets(
  dims: readonly number[],
  indexDims: readonly number[],
  axis: number,
  indices: readonly number[],
): Float64Array {
  if (indexDims.length !== dims.length || indexDims.some((dim, at) => at !== axis && dim > (dims[at] as number)))
    refuse(`indices of shape [${indexDims.join(',')}] do not fit [${dims.join(',')}]`);
  const strides = rowStrides(dims);
  const offsets = new Float64Array(indices.length);
  const place = new Array<number>(dims.length).fill(0);
  for (let i = 0; i < offsets.length; i++) {
    let offset = resolvedIndex(indices[i] as number, dims[axis] as number) * (strides[axis] as number);
    for (let at = 0; at < place.length; at++)
      if (at !== axis) offset += (place[at] as number) * (strides[at] as number);
    offsets[i] = offset;
    for (let at = place.length - 1; at >= 0; at--) {
      place[at] = (place[at] as number) + 1;
      if ((place[at] as number) < (indexDims[at] as number)) break;
      place[at] = 0;
    }
  }
  return offsets;
}

function gatherNd(context: KernelContext): Tensor {
  const data = context.input(0);
  const indices = context.input(1);
  const batch = context.int('batch_dims') ?? 0;
  const width = indices.dims.at(-1) ?? refuse('the indices are a scalar');
  if (batch < 0 || batch >= indices.rank || batch + width > data.rank)
    refuse(`indices of width ${width} do not fit rank ${data.rank}`);
  for (let axis = 0; axis < batch; axis++)
    if (data.dims[axis] !== indices.dims[axis])
      refuse(`batch sizes ${data.dims[axis]} and ${indices.dims[axis]} differ`);
  const tail = data.dims.slice(batch + width);
  const dims = [...indices.dims.slice(0, -1), ...tail];
  context.allow(data.dataType, dims);
  const offsets = tupleOffsets(
    data.dims,
    batch,
    width,
    context.integers(1) ?? [],
    elementCount(indices.dims.slice(0, -1)),
  );
  const axes = [{ size: offsets.length, stride: 0, offsets }, ...wholeView(tail).axes];
  return viewedTensor(context, data, { axes, offset: 0 }, dims);
}

/** Where the tuples of `width` indices point to; the first `batch` axes are those of the tuples themselves. */
export function tupleOffsets(
  dims: readonly number[],
  batch: number,
  width: number,
  indices: readonly number[],
  count: number,
): Float64Array {
  const strides = rowStrides(dims);
  const batches = elementCount(dims.slice(0, batch));
  const batchStride = elementCount(dims.slice(batch));
  const offsets = new Float64Array(count);
  for (let tuple = 0; tuple < count; tuple++) {
    let offset = Math.floor(tuple / (count / batches)) * batchStride;
    for (let at = 0; at < width; at++) {
      const axis = batch + at;
      offset += resolvedIndex(indices[tuple * width + at] as number, dims[axis] as number) * (strides[axis] as number);
    }
    offsets[tuple] = offset;
  }
  return offsets;
}

function compress(context: KernelContext): Tensor {
  const axis = context.int('axis');
  const source = context.input(0);
  const data = axis === undefined ? source.reshaped([source.size]) : source;
  const at = context.axis(axis ?? 0, data.rank);
  const chosen = (context.integers(1) ?? []).flatMap((flag, index) => (flag !== 0 ? [index] : []));
  const dims = data.dims.map((dim, own) => (own === at ? chosen.length : dim));
  return selected(context, data, at, chosen, dims);
}

function reverseSequence(context: KernelContext): Tensor {
  const data = context.input(0);
  const batch = context.int('batch_axis') ?? 1;
  const time = context.int('time_axis') ?? 0;
  const [rows = 0, columns = 0] = data.dims;
  if (data.rank < 2 || batch + time !== 1 || batch * time !== 0) refuse('the axes must be 0 and 1');
  const lengths = context.integers(1) ?? [];
  if (lengths.length !== data.dims[batch]) refuse('there must be one length per sequence');
  const offsets = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [step, sequence] = time === 0 ? [row, column] : [column, row];
      const length = lengths[sequence] as number;
      if (length < 0 || length > (data.dims[time] as number)) refuse(`a sequence has no length ${length}`);
      const taken = step < length ? length - 1 - step : step;
      offsets[row * columns + column] = time === 0 ? taken * columns + column : row * columns + taken;
    }
  }
  const inner = wholeView(data.dims.slice(2));
  const run = elementCount(data.dims.slice(2));
  const outer = { size: offsets.length, stride: 0, offsets: offsets.map((offset) => offset * run) };
  return viewedTensor(context, data, { axes: [outer, ...inner.axes], offset: 0 }, data.dims);
}

export const gatherKernels: KernelTable = [
  ['Gather', gather],
  ['GatherElements', gatherElements],
  ['GatherND', gatherNd],
  ['Compress', compress],
  ['ReverseSequence', reverseSequence],
];
