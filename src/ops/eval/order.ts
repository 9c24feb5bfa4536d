/** Along one axis: places of extremes, sorted parts, running sums, distributions. */
import { DataType, isFloat } from '../../tensor/dtype.js';
import { bytesOf, elementCount, Tensor } from '../../tensor/tensor.js';
import { type AxisWalk, axisWalk, lineStarts } from './axis-walk.js';
import { type Kernel, type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { type BigLane, bigintsOf, bigintTensor, laneKind, type NumberLane, numbersOf, numberTensor } from './lane.js';
import { viewedTensor } from './moved-tensor.js';
import { refuseNaN } from './refuse-nan.js';

/** Elements that `<` and `>` order: numbers, or bigints of 64-bit types. */
function ordered(data: Tensor): NumberLane | BigLane {
  const kind = laneKind(data.dataType) ?? refuse('only numbers can be ordered');
  refuseNaN(data);
  return kind === 'bigint' ? bigintsOf(data) : numbersOf(data);
}

function argExtreme(isBetter: (a: number | bigint, b: number | bigint) => boolean): Kernel {
  return (context) => {
    const data = context.input(0);
    const axis = context.axis(context.int('axis') ?? 0, data.rank);
    const walk = axisWalk(data.dims, axis);
    if (walk.length === 0) refuse('the axis is empty');
    const takesLast = context.flag('select_last_index');
    const lane = ordered(data);
    const places = new BigInt64Array(walk.outer * walk.inner);
    let line = 0;
    for (const start of lineStarts(walk)) {
      let best = 0;
      for (let at = 1; at < walk.length; at++) {
        const value = lane[start + at * walk.inner] as number;
        const before = lane[start + best * walk.inner] as number;
        if (isBetter(value, before) || (takesLast && value === before)) best = at;
      }
      places[line++] = BigInt(best);
    }
    const keepDims = context.int('keepdims') !== 0;
    const dims = data.dims.flatMap((dim, at) => (at !== axis ? [dim] : keepDims ? [1] : []));
    return Tensor.of(DataType.INT64, dims, bytesOf(places));
  };
}

function topK(context: KernelContext): Tensor[] {
  const data = context.input(0);
  const axis = context.axis(context.int('axis') ?? -1, data.rank);
  const count = context.schema.attributes.has('k') ? context.requiredInt('k') : context.integer(1);
  const walk = axisWalk(data.dims, axis);
  if (count < 0 || count > walk.length) refuse(`there are no ${count} elements along an axis of ${walk.length}`);
  if (context.int('sorted') === 0) refuse('an order that is not sorted is not specified');
  const sign = context.int('largest') === 0 ? 1 : -1;
  const lane = ordered(data);
  const dims = data.dims.map((dim, at) => (at === axis ? count : dim));
  const offsets = new Float64Array(elementCount(dims));
  const places = new BigInt64Array(offsets.length);
  let line = 0;
  for (const start of lineStarts(walk)) {
    // Of equal elements the one with the lower index comes first.
    const order = Array.from({ length: walk.length }, (_, at) => at).sort((a, b) => {
      const x = lane[start + a * walk.inner] as number;
      const y = lane[start + b * walk.inner] as number;
      return x === y ? a - b : x < y ? -sign : sign;
    });
    const first = Math.floor(line / walk.inner) * count * walk.inner + (line % walk.inner);
    for (let at = 0; at < count; at++) {
      const place = order[at] as number;
      offsets[first + at * walk.inner] = start + place * walk.inner;
      places[first + at * walk.inner] = BigInt(place);
    }
    line++;
  }
  const view = { axes: [{ size: offsets.length, stride: 0, offsets }], offset: 0 };
  return [viewedTensor(context, data, view, dims), Tensor.of(DataType.INT64, dims, bytesOf(places))];
}

function running(
  number: (a: number, b: number) => number,
  bigint: (a: bigint, b: bigint) => bigint,
  neutral: number,
): Kernel {
  return (context) => {
    const data = context.input(0);
    const walk = axisWalk(data.dims, context.axis(context.integer(1), data.rank));
    if (!isFloat(data.dataType)) {
      const lane = bigintsOf(data);
      const result = new BigInt64Array(lane.length);
      accumulate<bigint>(context, walk, lane, result, bigint, BigInt(neutral));
      const isUnsigned = data.dataType === DataType.UINT64;
      return bigintTensor(data.dataType, data.dims, isUnsigned ? new BigUint64Array(result.buffer) : result);
    }
    const result = new Float64Array(data.size);
    const round = data.dataType === DataType.DOUBLE ? (x: number) => x : Math.fround;
    accumulate<number>(context, walk, numbersOf(data), result, (a, b) => round(number(a, b)), neutral);
    return numberTensor(data.dataType, data.dims, result);
  };
}

function accumulate<T>(
  context: KernelContext,
  walk: AxisWalk,
  lane: { readonly [index: number]: T },
  result: { [index: number]: T },
  combine: (a: T, b: T) => T,
  neutral: T,
): void {
  const exclusive = context.flag('exclusive');
  const reverse = context.flag('reverse');
  for (const start of lineStarts(walk)) {
    let total = neutral;
    for (let step = 0; step < walk.length; step++) {
      const at = start + (reverse ? walk.length - 1 - step : step) * walk.inner;
      const next = combine(total, lane[at] as T);
      result[at] = exclusive ? total : next;
      total = next;
    }
  }
}

type LineFunction = (line: Float64Array) => void;

/** An operator that turns each line along `axis` into another one. Before version 13 the input was made a matrix at the axis. */
function alongAxis(make: (context: KernelContext) => LineFunction, flattensBefore: number): Kernel {
  return (context) => {
    const data = context.input(0);
    const apply = make(context);
    const axis = context.axis(context.int('axis') ?? -1, data.rank);
    const dims =
      context.since < flattensBefore
        ? [elementCount(data.dims.slice(0, axis)), elementCount(data.dims.slice(axis))]
        : data.dims;
    const walk = axisWalk(dims, context.since < flattensBefore ? 1 : axis);
    const lane = numbersOf(data);
    const line = new Float64Array(walk.length);
    for (const start of lineStarts(walk)) {
      for (let at = 0; at < walk.length; at++) line[at] = lane[start + at * walk.inner] as number;
      apply(line);
      for (let at = 0; at < walk.length; at++) lane[start + at * walk.inner] = line[at] as number;
    }
    return numberTensor(data.dataType, data.dims, lane);
  };
}

/** Exponentials of a line with its largest element taken out, and their sum. */
function exponentials(line: Float64Array): { readonly largest: number; readonly total: number } {
  const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
  if (largest === Infinity) refuse('the result for infinity is not specified');
  let total = 0;
  for (let i = 0; i < line.length; i++) {
    line[i] = Math.exp((line[i] as number) - largest);
    total += line[i] as number;
  }
  return { largest, total };
}

function softmax(line: Float64Array): void {
  const { total } = exponentials(line);
  for (let i = 0; i < line.length; i++) line[i] = (line[i] as number) / total;
}

function logSoftmax(line: Float64Array): void {
  const { largest, total } = exponentials(line.slice());
  for (let i = 0; i < line.length; i++) line[i] = (line[i] as number) - largest - Math.log(total);
}

function hardmax(line: Float64Array): void {
  let best = 0;
  for (let i = 0; i < line.length; i++) {
    if (Number.isNaN(line[i])) refuse('the order of NaN is not specified');
    if ((line[i] as number) > (line[best] as number)) best = i;
  }
  line.fill(0);
  line[best] = 1;
}

function lpNormalization(context: KernelContext): LineFunction {
  const p = context.int('p') ?? 2;
  if (p !== 1 && p !== 2) refuse(`p is ${p}, not 1 or 2`);
  return (line) => {
    const total = line.reduce((sum, x) => sum + (p === 1 ? Math.abs(x) : x * x), 0);
    const norm = p === 1 ? total : Math.sqrt(total);
    // What a line of zeros becomes: 0.
    for (let i = 0; i < line.length; i++) line[i] = norm === 0 ? 0 : (line[i] as number) / norm;
  };
}

export const orderKernels: KernelTable = [
  ['ArgMax', argExtreme((a, b) => a > b)],
  ['ArgMin', argExtreme((a, b) => a < b)],
  ['TopK', topK],
  [
    'CumSum',
    running(
      (a, b) => a + b,
      (a, b) => a + b,
      0,
    ),
  ],
  [
    'CumProd',
    running(
      (a, b) => a * b,
      (a, b) => a * b,
      1,
    ),
  ],
  ['Softmax', alongAxis(() => softmax, 13)],
  ['LogSoftmax', alongAxis(() => logSoftmax, 13)],
  ['Hardmax', alongAxis(() => hardmax, 13)],
  ['LpNormalization', alongAxis(lpNormalization, 0)],
];
