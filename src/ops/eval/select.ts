/** Elements chosen by condition or place. */
import { DataType } from '../../tensor/dtype.js';
import { bytesOf, elementCount, Tensor } from '../../tensor/tensor.js';
import { rowStrides } from '../infer/elements.js';
import { broadcastDims } from './broadcast-dims.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { laneKind, numbersOf } from './lane.js';
import { cellsFor, movedTensor } from './moved-tensor.js';
import { broadcastView, CopyPlan } from './strided-view.js';

function where(context: KernelContext): Tensor {
  const condition = context.input(0);
  const yes = context.input(1);
  const no = context.input(2);
  const dims = broadcastDims([condition.dims, yes.dims, no.dims]);
  const cells = cellsFor(yes);
  const { words } = cells;
  return movedTensor(context, cells, dims, [condition, yes, no], () => {
    const flags = condition.bytes();
    const flagPlan = new CopyPlan(broadcastView(condition.dims, dims));
    const yesCells = cells.load(yes);
    const noCells = cells.load(no);
    const yesPlan = new CopyPlan(broadcastView(yes.dims, dims), words);
    const noPlan = new CopyPlan(broadcastView(no.dims, dims), words);
    return (target, from, count) => {
      const chosen = new Uint8Array(count / words);
      flagPlan.copy(flags, chosen, from / words, count / words);
      yesPlan.copy(yesCells, target, from, count);
      const other = cells.make(count);
      noPlan.copy(noCells, other, from, count);
      if (words === 1) {
        for (let i = 0; i < count; i++) if (chosen[i] === 0) target[i] = other[i] as number;
      } else {
        for (let i = 0; i < count; i++) if (chosen[Math.floor(i / words)] === 0) target[i] = other[i] as number;
      }
    };
  });
}

function nonZero(context: KernelContext): Tensor {
  const data = context.input(0);
  // Runtimes differ on whether a scalar is a list of one here.
  if (data.rank === 0) refuse('the input is a scalar');
  if (laneKind(data.dataType) === undefined) refuse('only numbers are compared with 0');
  const places: number[] = [];
  // Rounding a 64-bit integer never makes it 0.
  numbersOf(data).forEach((value, at) => {
    if (value !== 0) places.push(at);
  });
  const result = new BigInt64Array(data.rank * places.length);
  const strides = rowStrides(data.dims);
  for (const [axis, stride] of strides.entries())
    for (let i = 0; i < places.length; i++)
      result[axis * places.length + i] = BigInt(
        Math.floor((places[i] as number) / stride) % (data.dims[axis] as number),
      );
  return Tensor.of(DataType.INT64, [data.rank, places.length], bytesOf(result));
}

function oneHot(context: KernelContext): Tensor {
  const indices = context.input(0);
  const values = context.input(2);
  const depth = wholeNumbers(context.input(1));
  const [size = 0] = depth;
  if (depth.length !== 1 || values.size !== 2 || size < 0) refuse('depth must have one element, and values two');
  const axis = context.axis(context.int('axis') ?? -1, indices.rank + 1);
  const dims = [...indices.dims.slice(0, axis), size, ...indices.dims.slice(axis)];
  context.allow(values.dataType, dims);
  const wanted = wholeNumbers(indices);
  const inner = elementCount(indices.dims.slice(axis));
  const cells = cellsFor(values);
  const { words } = cells;
  return movedTensor(context, cells, dims, [values], () => {
    const pair = cells.load(values);
    return (target, from, count) => {
      for (let at = 0; at < count; at += words) {
        const element = (from + at) / words;
        const outer = Math.floor(element / (inner * size));
        const level = Math.floor(element / inner) % size;
        const index = wanted[outer * inner + (element % inner)] as number;
        // Indices out of range name nothing.
        const isHot = (index < 0 ? index + size : index) === level;
        for (let word = 0; word < words; word++) target[at + word] = pair[(isHot ? words : 0) + word] as number;
      }
    };
  });
}

/** Indices of any numeric type. */
function wholeNumbers(tensor: Tensor): Float64Array {
  if (laneKind(tensor.dataType) === undefined) refuse('indices must be numbers');
  return numbersOf(tensor).map(Math.trunc);
}

function trilu(context: KernelContext): Tensor {
  const data = context.input(0);
  const [rows, columns] = data.dims.slice(-2);
  if (rows === undefined || columns === undefined) return refuse('the input must have rank 2 at least');
  if (data.dataType === DataType.STRING) refuse('strings have no zero');
  const isUpper = context.flag('upper');
  const offset = context.optional(1) ? context.integer(1) : 0;
  const cells = cellsFor(data);
  const { words } = cells;
  return movedTensor(context, cells, data.dims, [data], () => {
    const source = cells.load(data);
    return (target, from, count) => {
      target.set(source.subarray(from, from + count));
      for (let at = 0; at < count; at++) {
        const element = Math.floor((from + at) / words);
        const row = Math.floor(element / columns) % rows;
        const distance = (element % columns) - row - offset;
        if (isUpper ? distance < 0 : distance > 0) target[at] = 0;
      }
    };
  });
}

export const selectKernels: KernelTable = [
  ['Where', where],
  ['NonZero', nonZero],
  ['OneHot', oneHot],
  ['Trilu', trilu],
];
