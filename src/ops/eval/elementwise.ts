import { type DataTypeCode, rawByteLength } from '../../tensor/dtype.js';
import { bytesOf, elementCount, type Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { filledTensor } from './filled-tensor.js';
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
  if (!first) return refuse('there are no inputs');
  const dims = broadcastDims(inputs.map((input) => input.dims));
  context.allow(outputType, dims);
  // Pow mixes types: 64-bit integers beside floats are numbers too.
  const kind = inputs.every((input) => laneKind(input.dataType) === 'bigint') ? 'bigint' : 'number';
  const isKnown = inputs.every((input) => laneKind(input.dataType) !== undefined);
  const outKind = laneKind(outputType);
  const { number, bigint, bigintToNumber } = operator;
  if (isKnown && kind === 'number' && outKind === 'number' && number) {
    return filledTensor(outputType, dims, () => {
      const readers = inputs.map((input) => laneReader(input, dims));
      const lanes = inputs.map(() => new Float64Array(LANE));
      return inLanes(outputType, (target, from, count) => {
        const parts = lanes.map((lane) => lane.subarray(0, count));
        parts.forEach((part, slot) => {
          decodeNumbers((inputs[slot] as Tensor).dataType, (readers[slot] as LaneReader)(from, count), part);
        });
        const out = new Float64Array(count);
        number(parts, out);
        encodeNumbers(outputType, out, target);
      });
    });
  }
  if (kind === 'bigint' && ((outKind === 'bigint' && bigint) || (outKind === 'number' && bigintToNumber))) {
    return filledTensor(outputType, dims, () => {
      const readers = inputs.map((input) => laneReader(input, dims));
      return inLanes(outputType, (target, from, count) => {
        const parts = readers.map((read) => bigView(first.dataType, read(from, count)));
        if (outKind === 'bigint') bigint?.(parts, bigView(outputType, target));
        else {
          const out = new Float64Array(count);
          bigintToNumber?.(parts, out);
          encodeNumbers(outputType, out, target);
        }
      });
    });
  }
  return refuse(`${context.node.opType} is not computed for this type`);
}

/** Splits a range into lanes. */
function inLanes(dataType: DataTypeCode, compute: (target: Uint8Array, from: number, count: number) => void) {
  const bytes = rawByteLength(dataType, 1) ?? 1;
  return (target: Uint8Array, from: number, count: number): void => {
    for (let at = 0; at < count; at += LANE) {
      const length = Math.min(LANE, count - at);
      compute(target.subarray(at * bytes, (at + length) * bytes), from + at, length);
    }
  };
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
