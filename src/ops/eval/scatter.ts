/** Updates written, added, … into a copy of the data. */
import { DataType, isFloat } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { axisWalk } from './axis-walk.js';
import { elementOffsets, tupleOffsets } from './gather.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import {
  type BigLane,
  bigintsOf,
  bigintTensor,
  bigMax,
  bigMin,
  laneKind,
  type NumberLane,
  numbersOf,
  numberTensor,
} from './lane.js';
import { cellsFor } from './moved-tensor.js';
import { refuseNaN } from './refuse-nan.js';

function scatterElements(context: KernelContext): Tensor {
  const data = context.input(0);
  const indices = context.input(1);
  const updates = context.input(2);
  if (indices.rank !== updates.rank || indices.dims.some((dim, axis) => dim !== updates.dims[axis]))
    refuse('indices and updates differ in shape');
  const axis = context.axis(context.int('axis') ?? 0, data.rank);
  const offsets = elementOffsets(data.dims, indices.dims, axis, context.integers(1) ?? []);
  return scattered(context, data, updates, offsets, 1);
}

function scatterNd(context: KernelContext): Tensor {
  const data = context.input(0);
  const indices = context.input(1);
  const updates = context.input(2);
  const width = indices.dims.at(-1) ?? refuse('the indices are a scalar');
  if (width > data.rank) refuse(`indices of width ${width} do not fit rank ${data.rank}`);
  const dims = [...indices.dims.slice(0, -1), ...data.dims.slice(width)];
  if (dims.length !== updates.rank || dims.some((dim, axis) => dim !== updates.dims[axis]))
    refuse(`updates of shape [${updates.dims.join(',')}] do not fit [${dims.join(',')}]`);
  const count = elementCount(indices.dims.slice(0, -1));
  const offsets = tupleOffsets(data.dims, 0, width, context.integers(1) ?? [], count);
  return scattered(context, data, updates, offsets, elementCount(data.dims.slice(width)));
}

/** Update `i` is a run of `run` elements for the place `offsets[i]`. */
function scattered(context: KernelContext, data: Tensor, updates: Tensor, offsets: Float64Array, run: number): Tensor {
  context.allow(data.dataType, data.dims);
  const reduction = context.string('reduction') ?? 'none';
  if (reduction === 'none') return overwritten(data, updates, offsets, run);
  const combine = COMBINE.get(reduction) ?? refuse(`reduction ${reduction} is unknown`);
  const kind = laneKind(data.dataType);
  if (reduction === 'max' || reduction === 'min') [data, updates].forEach(refuseNaN);
  if (kind === undefined || data.dataType === DataType.BOOL)
    return refuse(`${reduction} is not supported for this type`);
  if (kind === 'bigint' || !isFloat(data.dataType)) {
    const result = bigintsOf(data).slice();
    combineBigints(result, bigintsOf(updates), offsets, run, combine.bigint);
    return bigintTensor(data.dataType, data.dims, result);
  }
  const result = numbersOf(data);
  const round = data.dataType === DataType.DOUBLE ? (x: number) => x : Math.fround;
  combineNumbers(result, numbersOf(updates), offsets, run, (a, b) => round(combine.number(a, b)));
  return numberTensor(data.dataType, data.dims, result);
}

function overwritten(data: Tensor, updates: Tensor, offsets: Float64Array, run: number): Tensor {
  const cells = cellsFor(data);
  const { words } = cells;
  const result = cells.load(data).slice();
  const source = cells.load(updates);
  const seen = new Uint8Array(Math.ceil(data.size / Math.max(run, 1)));
  for (const [at, offset] of offsets.entries()) {
    const place = Math.floor(offset / run);
    // Which of two updates comes last is not defined.
    if (seen[place] === 1) refuse('two updates have the same index');
    seen[place] = 1;
    result.set(source.subarray(at * run * words, (at + 1) * run * words), offset * words);
  }
  return cells.tensor(data.dims, result);
}

function combineNumbers(
  result: NumberLane,
  updates: NumberLane,
  offsets: Float64Array,
  run: number,
  combine: (a: number, b: number) => number,
): void {
  for (const [at, offset] of offsets.entries())
    for (let i = 0; i < run; i++)
      result[offset + i] = combine(result[offset + i] as number, updates[at * run + i] as number);
}

function combineBigints(
  result: BigLane,
  updates: BigLane,
  offsets: Float64Array,
  run: number,
  combine: (a: bigint, b: bigint) => bigint,
): void {
  for (const [at, offset] of offsets.entries())
    for (let i = 0; i < run; i++)
      result[offset + i] = combine(result[offset + i] as bigint, updates[at * run + i] as bigint);
}

interface Combination {
  readonly number: (a: number, b: number) => number;
  readonly bigint: (a: bigint, b: bigint) => bigint;
}

const COMBINE: ReadonlyMap<string, Combination> = new Map<string, Combination>([
  ['add', { number: (a, b) => a + b, bigint: (a, b) => a + b }],
  ['mul', { number: (a, b) => a * b, bigint: (a, b) => a * b }],
  ['max', { number: Math.max, bigint: bigMax }],
  ['min', { number: Math.min, bigint: bigMin }],
]);

/** Writes a run of the sequence axis of each batch into the cache. */
function tensorScatter(context: KernelContext): Tensor {
  const data = context.input(0);
  const update = context.input(1);
  const axis = context.axis(context.int('axis') ?? -2, data.rank);
  const [batches = 1] = data.dims;
  const starts = context.integers(2) ?? new Array<number>(batches).fill(0);
  const length = update.dims[axis] as number;
  const size = data.dims[axis] as number;
  const fits = update.rank === data.rank && update.dims.every((dim, at) => at === axis || dim === data.dims[at]);
  if (axis === 0 || !fits || length > size || starts.length !== batches) refuse('the update does not fit the cache');
  const { outer, inner } = axisWalk(data.dims, axis);
  const isCircular = context.string('mode') === 'circular';
  const offsets = new Float64Array(outer * length);
  for (let at = 0; at < offsets.length; at++) {
    const line = Math.floor(at / length);
    const place = (starts[Math.floor(line / (outer / batches))] as number) + (at % length);
    if (place < 0 || (place >= size && !isCircular)) refuse(`index ${place} is out of range for size ${size}`);
    offsets[at] = (line * size + (place % size)) * inner;
  }
  return overwritten(data, update, offsets, inner);
}

export const scatterKernels: KernelTable = [
  ['Scatter ScatterElements', scatterElements],
  ['ScatterND', scatterNd],
  ['TensorScatter', tensorScatter],
];
