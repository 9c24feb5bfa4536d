import { type DataTypeCode, rawByteLength } from '../../tensor/dtype.js';
import { bytesOf, elementCount, type Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { type Fill, filledTensor, mappedTensor } from './computed-tensor.js';
import { type KernelContext, refuse } from './kernel-context.js';
import { type BigLane, bigView, decodeNumbers, encodeNumbers, laneKind, type NumberLane } from './lane.js';
import { cellsFor } from './moved-tensor.js';
import { broadcastView, CopyPlan } from './strided-view.js';

/** What an elementwise operator does with a run of its inputs, all of one length; `out` is as long. */
export interface LaneOperator {
  /** All types up to 32 bits and DOUBLE; the result is rounded or wrapped to the output type afterwards. */
  readonly number?: (lanes: readonly NumberLane[], out: NumberLane) => void;
  /** 64-bit integers; the result may be wider, since storing it wraps it around. */
  readonly bigint?: (lanes: readonly BigLane[], out: BigLane) => void;
  /** 64-bit integers with a result of another type, such as comparisons. */
  readonly bigintToNumber?: (lanes: readonly BigLane[], out: NumberLane) => void;
}

/** Elements computed at a time: three lanes of float64 stay in the first-level cache. */
const LANE = 1024;

/**
 * Applies an operator to inputs broadcast to each other. Large results are computed when they are read; so
 * the operator must not fail.
 */
export function elementwise(
  context: KernelContext,
  inputs: readonly Tensor[],
  outputType: DataTypeCode,
  operator: LaneOperator,
): Tensor {
  const [first] = inputs;
  if (!first) return refuse('it has no inputs');
  const dims = broadcastDims(inputs.map((input) => input.dims));
  context.allow(outputType, dims);
  const types = inputs.map((input) => input.dataType);
  const fill = fillFor(operator, types, outputType);
  if (!fill) return refuse(`${context.node.opType} is not supported for this type`);
  if (inputs.length > 1)
    return filledTensor(outputType, dims, inputs, () => fill(inputs.map((input) => laneReader(input, dims))));
  // One piece of a single input is enough for one of the result.
  const bytes = elementBytes(first.dataType);
  return mappedTensor(outputType, first, (source, target, count) => {
    fill([(from, length) => source.subarray(from * bytes, (from + length) * bytes)])(target, 0, count);
  });
}

/** Computes a result from readers of its inputs. */
type ReaderFill = (readers: readonly LaneReader[]) => Fill;

/** Undefined where the operator, or any operator, does not compute with these types. */
function fillFor(
  operator: LaneOperator,
  types: readonly DataTypeCode[],
  outputType: DataTypeCode,
): ReaderFill | undefined {
  const kinds = types.map(laneKind);
  const outputKind = laneKind(outputType);
  if (kinds.includes(undefined)) return undefined;
  // Pow mixes types: 64-bit integers beside floats are numbers too.
  if (kinds.every((kind) => kind === 'bigint')) return bigintFill(operator, types[0] as DataTypeCode, outputType);
  return outputKind === 'number' ? numberFill(operator, types, outputType) : undefined;
}

function numberFill(
  { number }: LaneOperator,
  types: readonly DataTypeCode[],
  outputType: DataTypeCode,
): ReaderFill | undefined {
  if (!number) return undefined;
  return (readers) => {
    const rooms = readers.map(() => new Float64Array(LANE));
    return inLanes(outputType, (target, from, count) => {
      const lanes = rooms.map((room) => room.subarray(0, count));
      lanes.forEach((lane, slot) => {
        decodeNumbers(types[slot] as DataTypeCode, (readers[slot] as LaneReader)(from, count), lane);
      });
      const out = new Float64Array(count);
      number(lanes, out);
      encodeNumbers(outputType, out, target);
    });
  };
}

function bigintFill(
  { bigint, bigintToNumber }: LaneOperator,
  type: DataTypeCode,
  outputType: DataTypeCode,
): ReaderFill | undefined {
  const outputKind = laneKind(outputType);
  const isBig = outputKind === 'bigint';
  if (outputKind === undefined || !(isBig ? bigint : bigintToNumber)) return undefined;
  return (readers) =>
    inLanes(outputType, (target, from, count) => {
      const lanes = readers.map((read) => bigView(type, read(from, count)));
      if (isBig) {
        bigint?.(lanes, bigView(outputType, target));
        return;
      }
      const out = new Float64Array(count);
      bigintToNumber?.(lanes, out);
      encodeNumbers(outputType, out, target);
    });
}

/** Splits a range into lanes. */
function inLanes(dataType: DataTypeCode, compute: Fill): Fill {
  const bytes = elementBytes(dataType);
  return (target, from, count) => {
    for (let at = 0; at < count; at += LANE) {
      const length = Math.min(LANE, count - at);
      compute(target.subarray(at * bytes, (at + length) * bytes), from + at, length);
    }
  };
}

function elementBytes(dataType: DataTypeCode): number {
  return rawByteLength(dataType, 1) ?? 1;
}

/** The bytes of elements `[from, from + count)` of an input broadcast to the output; valid until the next call. */
type LaneReader = (from: number, count: number) => Uint8Array;

function laneReader(input: Tensor, dims: readonly number[]): LaneReader {
  const cells = cellsFor(input);
  const { words } = cells;
  const source = cells.load(input);
  const plan = new CopyPlan(broadcastView(input.dims, dims), words);
  const whole = plan.isContiguous && elementCount(dims) === input.size;
  if (whole) return (from, count) => bytesOf(source.subarray(from * words, (from + count) * words));
  const room = cells.make(LANE * words);
  const isScalar = input.size === 1;
  if (isScalar) plan.copy(source, room, 0, Math.min(LANE, elementCount(dims)) * words);
  return (from, count) => {
    if (!isScalar) plan.copy(source, room, from * words, count * words);
    return bytesOf(room.subarray(0, count * words));
  };
}

/**
 * The second input of an operator with the attributes `broadcast` and `axis` (before version 7): its axes stand for those of the
 * first one from `axis` on, or for the last ones.
 */
export function alignedOperands(context: KernelContext): [Tensor, Tensor] {
  const a = context.input(0);
  const b = context.input(1);
  if (!context.schema.attributes.has('broadcast')) return [a, b];
  if (!context.flag('broadcast')) {
    if (a.rank !== b.rank || a.dims.some((dim, axis) => dim !== b.dims[axis]))
      refuse('the shapes differ, and broadcast is 0');
    return [a, b];
  }
  const axis = context.int('axis');
  const start = axis === undefined ? a.rank - b.rank : context.axis(axis, a.rank, a.rank + 1);
  if (b.rank > a.rank || start < 0 || start + b.rank > a.rank) refuse('the second shape does not fit the first one');
  const dims = a.dims.map((_, at) => b.dims[at - start] ?? 1);
  if (dims.some((dim, at) => dim !== 1 && dim !== a.dims[at])) refuse('the second shape does not fit the first one');
  return [a, b.reshaped(dims)];
}
