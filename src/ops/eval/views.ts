/** The same elements under another shape: nothing is read or copied. */
import { DataType } from '../../tensor/dtype.js';
import { elementCount, Tensor } from '../../tensor/tensor.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';

function identity(context: KernelContext): Tensor {
  return context.input(0);
}

function reshape(context: KernelContext): Tensor {
  const data = context.input(0);
  const wanted = context.attributeOrInput('shape', 1) ?? refuse('the shape is missing');
  const keepZero = context.flag('allowzero');
  const dims = wanted.map((dim, axis) =>
    dim === 0 && !keepZero ? (data.dims[axis] ?? refuse(`the input has no axis ${axis} to keep`)) : dim,
  );
  const open = dims.indexOf(-1);
  if (open >= 0) {
    const known = elementCount(dims.filter((_, axis) => axis !== open));
    if (!(known > 0)) refuse('the size of the open axis is not determined');
    dims[open] = data.size / known;
  }
  return fitted(context, data, dims);
}

function fitted(context: KernelContext, data: Tensor, dims: readonly number[]): Tensor {
  if (elementCount(dims) !== data.size || dims.some((dim) => !Number.isInteger(dim)))
    refuse(`[${data.dims.join(',')}] cannot be reshaped to [${dims.join(',')}]`);
  context.allow(data.dataType, dims);
  return data.reshaped(dims);
}

function flatten(context: KernelContext): Tensor {
  const data = context.input(0);
  const axis = context.axis(context.int('axis') ?? 1, data.rank, data.rank + 1);
  return fitted(context, data, [elementCount(data.dims.slice(0, axis)), elementCount(data.dims.slice(axis))]);
}

function squeeze(context: KernelContext): Tensor {
  const data = context.input(0);
  const given = context.attributeOrInput('axes', 1);
  if (!given) return data.reshaped(data.dims.filter((dim) => dim !== 1));
  // Runtimes disagree on whether an empty list means none or all.
  if (given.length === 0 && data.dims.includes(1)) refuse('the list of axes is empty');
  const axes = context.axes(given, data.rank);
  for (const axis of axes)
    if (data.dims[axis] !== 1) refuse(`axis ${axis} has size ${data.dims[axis]} and cannot be squeezed`);
  return data.reshaped(data.dims.filter((_, axis) => !axes.includes(axis)));
}

function unsqueeze(context: KernelContext): Tensor {
  const data = context.input(0);
  const given = context.attributeOrInput('axes', 1) ?? refuse('the axes are missing');
  const axes = context.axes(given, data.rank + given.length);
  const rest = data.dims.values();
  const dims = Array.from({ length: data.rank + axes.length }, (_, axis) =>
    axes.includes(axis) ? 1 : Number(rest.next().value),
  );
  return data.reshaped(dims);
}

function shape(context: KernelContext): Tensor {
  const { dims } = context.input(0);
  const bound = (at: number) => Math.max(0, Math.min(dims.length, at < 0 ? at + dims.length : at));
  const start = bound(context.int('start') ?? 0);
  const end = bound(context.int('end') ?? dims.length);
  return Tensor.int64(dims.slice(start, Math.max(start, end)));
}

function size(context: KernelContext): Tensor {
  return Tensor.int64([context.input(0).size], []);
}

/** Only where nothing is dropped: in inference mode. */
function dropout(context: KernelContext): Tensor[] {
  const isTraining = context.since < 7 ? !context.flag('is_test') : (context.integers(2)?.[0] ?? 0) !== 0;
  if (isTraining) refuse('it runs in training mode');
  const data = context.input(0);
  if (context.outputCount === 1) return [data];
  if (context.since < 10) refuse('the type of the mask is not specified');
  context.allow(DataType.BOOL, data.dims);
  return [data, Tensor.of(DataType.BOOL, data.dims, new Uint8Array(data.size).fill(1))];
}

export const viewKernels: KernelTable = [
  ['Identity', identity],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Shape', shape],
  ['Size', size],
  ['Dropout', dropout],
];
