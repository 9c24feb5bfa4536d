/** Tensors made from a few numbers. */
import type { AttributeValue } from '../../ir/attribute.js';
import { fromBfloat16, toBfloat16 } from '../../tensor/bfloat16.js';
import { DataType, type DataTypeCode, dataTypeName } from '../../tensor/dtype.js';
import { fromFloat16, toFloat16 } from '../../tensor/float16.js';
import { bytesOf, Tensor } from '../../tensor/tensor.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, bigintTensor, laneKind, numbersOf, numberTensor } from './lane.js';
import { viewedTensor } from './moved-tensor.js';
import { broadcastView } from './strided-view.js';

function constant(context: KernelContext): Tensor {
  const [attribute, ...more] = context.node.attributes.values();
  if (!attribute || more.length > 0) return refuse('it must have exactly one attribute');
  return attributeTensor(attribute.value) ?? refuse(`attribute ${attribute.name} is not supported`);
}

/** What a value attribute of Constant stands for; undefined for a sparse tensor. */
function attributeTensor(value: AttributeValue): Tensor | undefined {
  switch (value.kind) {
    case 'tensor':
      return value.value;
    case 'float':
      return Tensor.float32([value.value], []);
    case 'floats':
      return Tensor.float32(value.value);
    case 'int':
      return Tensor.int64([value.value], []);
    case 'ints':
      return Tensor.int64(value.value);
    case 'string':
      return Tensor.strings([], () => [value.value]);
    case 'strings':
      return Tensor.strings([value.value.length], () => value.value);
    default:
      return undefined;
  }
}

function constantOfShape(context: KernelContext): Tensor {
  const dims = context.integers(0) ?? refuse('the shape is missing');
  if (context.input(0).rank !== 1) refuse('the shape must be a list');
  const value = context.tensorAttribute('value') ?? Tensor.float32([0]);
  if (value.size !== 1) refuse('the value must have one element');
  context.allow(value.dataType, dims);
  return viewedTensor(context, value.reshaped([]), broadcastView([], dims), dims);
}

function range(context: KernelContext): Tensor {
  const [start, limit, delta] = context.allInputs();
  if (!start || !limit || !delta || start.size !== 1 || limit.size !== 1 || delta.size !== 1)
    return refuse('start, limit and delta must have one element each');
  const type = context.outputType();
  return laneKind(type) === 'bigint'
    ? bigRange(context, type, only(bigintsOf(start)), only(bigintsOf(limit)), only(bigintsOf(delta)))
    : numberRange(context, type, only(numbersOf(start)), only(numbersOf(limit)), only(numbersOf(delta)));
}

function only<T>(values: ArrayLike<T>): T {
  return values[0] as T;
}

function bigRange(context: KernelContext, type: DataTypeCode, start: bigint, limit: bigint, delta: bigint): Tensor {
  if (delta === 0n) refuse('delta is 0');
  const distance = limit - start;
  const exact = distance / delta;
  const count = Number(exact * delta === distance || distance < 0n !== delta < 0n ? exact : exact + 1n);
  context.allow(type, [Math.max(0, count)]);
  const values = new BigInt64Array(Math.max(0, count));
  for (let i = 0, value = start; i < values.length; i++, value += delta) values[i] = value;
  return bigintTensor(type, [values.length], values);
}

const ROUND: ReadonlyMap<DataTypeCode, (value: number) => number> = new Map([
  [DataType.FLOAT, Math.fround],
  [DataType.FLOAT16, (value: number) => fromFloat16(toFloat16(value))],
  [DataType.BFLOAT16, (value: number) => fromBfloat16(toBfloat16(value))],
]);

/**
 * Element `i` is `start + i · delta`, as the specification has it; ONNX Runtime adds delta again and again. 16-bit floats may
 * also be computed as wider ones, so they must be exact.
 */
function numberRange(context: KernelContext, type: DataTypeCode, start: number, limit: number, delta: number): Tensor {
  const round = ROUND.get(type) ?? ((value: number) => value);
  const isHalf = type === DataType.FLOAT16 || type === DataType.BFLOAT16;
  const count = Math.max(0, Math.ceil(round(limit - start) / delta));
  if (!Number.isFinite(start) || !Number.isFinite(delta) || delta === 0)
    refuse('start and delta must be finite, and delta not 0');
  context.allow(type, [count]);
  const values = new Float64Array(count);
  let isSettled = !isHalf || round(limit - start) === limit - start;
  for (let i = 0, sum = start; i < count; i++, sum = round(sum + delta)) {
    values[i] = start + (isHalf ? i * delta : round(i * delta));
    isSettled &&= (isHalf ? (values[i] as number) : round(values[i] as number)) === sum;
  }
  return isSettled ? numberTensor(type, [count], values) : refuse('the elements depend on the order of summation');
}

function eyeLike(context: KernelContext): Tensor {
  const input = context.input(0);
  const type = context.int('dtype') ?? input.dataType;
  const [rows, columns] = input.dims;
  if (input.rank !== 2 || rows === undefined || columns === undefined) return refuse('the input must be a matrix');
  context.allow(type, input.dims);
  const kind = laneKind(type) ?? refuse(`${dataTypeName(type)} is not supported`);
  const offset = context.int('k') ?? 0;
  const lane = kind === 'bigint' ? new BigInt64Array(rows * columns) : new Float64Array(rows * columns);
  for (let row = Math.max(0, -offset); row < rows && row + offset < columns; row++) {
    if (lane instanceof Float64Array) lane[row * columns + row + offset] = 1;
    else lane[row * columns + row + offset] = 1n;
  }
  return lane instanceof Float64Array
    ? numberTensor(type, input.dims, lane)
    : Tensor.of(type, input.dims, bytesOf(lane));
}

export const generateKernels: KernelTable = [
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Range', range],
  ['EyeLike', eyeLike],
];
