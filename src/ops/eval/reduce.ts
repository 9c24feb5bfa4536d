/** Axes reduced to one element. Floats are summed in float64 and rounded once; integers are exact and wrap around. */
import { DataType, integerRange, isFloat } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { type Kernel, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, bigintTensor, laneKind, numbersOf, numberTensor } from './lane.js';
import { permuted } from './layout.js';
import { refuseNaN } from './refuse-nan.js';

interface Reduction {
  /** Reduces elements `[start, start + count)`. */
  readonly number: (lane: Float64Array, start: number, count: number) => number;
  /** Of integers; absent where the result would not be one. */
  readonly bigint?: (lane: BigInt64Array | BigUint64Array, start: number, count: number) => bigint;
  /** What it gives for no elements at all, where that is settled. */
  readonly ofNothing?: number;
  /** For integers: how large what is added or multiplied may get on the way, as the same operation on magnitudes. */
  readonly bound?: (lane: Float64Array, start: number, count: number) => number;
  /** Runtimes differ on a NaN among the elements. */
  readonly refusesNaN?: boolean;
}

function reduction(rule: Reduction): Kernel {
  return (context) => {
    const data = context.input(0);
    const given = context.attributeOrInput('axes', 1) ?? [];
    // With an empty set of axes the steps that are no reduction, such as squares, are still taken.
    const keepsAll = given.length === 0 && context.flag('noop_with_empty_axes');
    const axes = keepsAll ? [] : given.length === 0 ? data.dims.map((_, axis) => axis) : context.axes(given, data.rank);
    const keepDims = context.int('keepdims') !== 0;
    const kept = data.dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const dims = data.dims.flatMap((dim, axis) => (kept.includes(axis) ? [dim] : keepDims ? [1] : []));
    context.allow(data.dataType, dims);
    const lines = permuted(context, data, [...kept, ...axes.toSorted((a, b) => a - b)]);
    return reduceLines(lines, dims, elementCount(axes.map((axis) => data.dims[axis] as number)), rule);
  };
}

/** Reduces runs of `length` neighbours. */
function reduceLines(lines: Tensor, dims: readonly number[], length: number, rule: Reduction): Tensor {
  const type = lines.dataType;
  const count = elementCount(dims);
  if (length === 0 && rule.ofNothing === undefined) refuse('there is no element to reduce');
  if (laneKind(type) === undefined) refuse('only numbers are reduced');
  if (length === 0 && !isFloat(type) && !Number.isFinite(rule.ofNothing)) refuse('there is no element to reduce');
  if (rule.refusesNaN) refuseNaN(lines);
  if (isFloat(type) || type === DataType.BOOL || !rule.bigint) {
    if (!isFloat(type) && type !== DataType.BOOL) refuse('an integer result is not specified');
    const lane = numbersOf(lines);
    const result = new Float64Array(count);
    for (let at = 0; at < count; at++)
      result[at] = length === 0 ? (rule.ofNothing ?? 0) : rule.number(lane, at * length, length);
    return numberTensor(type, dims, result);
  }
  if (rule.bound) refuseOverflow(lines, length, rule.bound);
  const lane = bigintsOf(lines);
  const result = new BigInt64Array(count);
  const nothing = length === 0 ? BigInt(rule.ofNothing ?? 0) : 0n;
  for (let at = 0; at < count; at++) result[at] = length === 0 ? nothing : rule.bigint(lane, at * length, length);
  return bigintTensor(type, dims, type === DataType.UINT64 ? new BigUint64Array(result.buffer) : result);
}

/** Some runtimes reduce integers in float64, or stop at the largest: only sums that stay exact are the same everywhere. */
function refuseOverflow(lines: Tensor, length: number, bound: NonNullable<Reduction['bound']>): void {
  const lane = numbersOf(lines);
  const greatest = integerRange(lines.dataType)?.max ?? 0n;
  const limit = Math.min(Number(greatest), Number.MAX_SAFE_INTEGER);
  for (let start = 0; start < lane.length; start += length)
    if (bound(lane, start, length) > limit) refuse('an integer overflows, or is not exact as a float64');
}

function sumOf(term: (x: number) => number): Reduction['number'] {
  return (lane, start, count) => {
    let sum = 0;
    for (let i = start; i < start + count; i++) sum += term(lane[i] as number);
    return sum;
  };
}

function bigSumOf(term: (x: bigint) => bigint): NonNullable<Reduction['bigint']> {
  return (lane, start, count) => {
    let sum = 0n;
    for (let i = start; i < start + count; i++) sum += term(lane[i] as bigint);
    return sum;
  };
}

const sum = sumOf((x) => x);
const bigSum = bigSumOf((x) => x);
const sumOfSquares = sumOf((x) => x * x);

const sumOfMagnitudes = sumOf(Math.abs);

const SUM: Reduction = {
  number: sum,
  bigint: bigSum,
  ofNothing: 0,
  bound: sumOfMagnitudes,
};
const MEAN: Reduction = {
  bound: sumOfMagnitudes,
  number: (lane, start, count) => sum(lane, start, count) / count,
  bigint: (lane, start, count) => bigSum(lane, start, count) / BigInt(count),
};
const PRODUCT: Reduction = {
  number(lane, start, count) {
    let product = 1;
    for (let i = start; i < start + count; i++) product *= lane[i] as number;
    return product;
  },
  bigint(lane, start, count) {
    let product = 1n;
    for (let i = start; i < start + count; i++) product = BigInt.asIntN(64, product * (lane[i] as bigint));
    return product;
  },
  ofNothing: 1,
  bound(lane, start, count) {
    let product = 1;
    for (let i = start; i < start + count; i++) product *= Math.max(1, Math.abs(lane[i] as number));
    return product;
  },
};

function extreme(
  number: (a: number, b: number) => number,
  isBetter: (a: bigint, b: bigint) => boolean,
  ofNothing: number,
): Reduction {
  return {
    ofNothing,
    refusesNaN: true,
    number(lane, start, count) {
      let best = lane[start] as number;
      for (let i = start + 1; i < start + count; i++) best = number(best, lane[i] as number);
      return best;
    },
    bigint(lane, start, count) {
      let best = lane[start] as bigint;
      for (let i = start + 1; i < start + count; i++) if (isBetter(lane[i] as bigint, best)) best = lane[i] as bigint;
      return best;
    },
  };
}

/** ln Σ e^x with the largest taken out, so that nothing overflows. */
function logSumExp(lane: Float64Array, start: number, count: number): number {
  let largest = -Infinity;
  for (let i = start; i < start + count; i++) largest = Math.max(largest, lane[i] as number);
  if (!Number.isFinite(largest)) return largest;
  let total = 0;
  for (let i = start; i < start + count; i++) total += Math.exp((lane[i] as number) - largest);
  return largest + Math.log(total);
}

export const reduceKernels: KernelTable = [
  ['ReduceSum', reduction(SUM)],
  ['ReduceMean', reduction(MEAN)],
  ['ReduceProd', reduction(PRODUCT)],
  ['ReduceMax', reduction(extreme(Math.max, (a, b) => a > b, -Infinity))],
  ['ReduceMin', reduction(extreme(Math.min, (a, b) => a < b, Infinity))],
  [
    'ReduceL1',
    reduction({
      number: sumOfMagnitudes,
      bigint: bigSumOf((x) => (x < 0n ? -x : x)),
      ofNothing: 0,
      bound: sumOfMagnitudes,
    }),
  ],
  ['ReduceL2', reduction({ number: (...line) => Math.sqrt(sumOfSquares(...line)), ofNothing: 0 })],
  [
    'ReduceSumSquare',
    reduction({ number: sumOfSquares, bigint: bigSumOf((x) => x * x), ofNothing: 0, bound: sumOfSquares }),
  ],
  ['ReduceLogSum', reduction({ number: (...line) => Math.log(sum(...line)), ofNothing: -Infinity })],
  ['ReduceLogSumExp', reduction({ number: logSumExp, ofNothing: -Infinity })],
];
