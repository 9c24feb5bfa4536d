import { bfloat16ToFloat32, float32ToBfloat16 } from '../../tensor/bfloat16.js';
import { DataType, type DataTypeCode, rawByteLength } from '../../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../../tensor/float16.js';
import { bytesOf, Tensor, type TypedArray, typedView } from '../../tensor/tensor.js';
import { refuse } from './kernel-context.js';

/** Elements to compute with. All types up to 32 bits and DOUBLE are exact in float64; 64-bit integers are bigints. */
export type NumberLane = Float64Array;
export type BigLane = BigInt64Array | BigUint64Array;

type Codec = {
  readonly decode: (bytes: Uint8Array, lane: NumberLane) => void;
  readonly encode: (lane: NumberLane, bytes: Uint8Array) => void;
};

/** Arrays of integers: setting one from numbers truncates and wraps around. */
function integerCodec(view: (bytes: Uint8Array) => Exclude<TypedArray, BigLane>): Codec {
  return {
    decode: (bytes, lane) => lane.set(view(bytes)),
    encode: (lane, bytes) => view(bytes).set(lane),
  };
}

/** Bits of the NaN that is written: what a processor makes differs from one to the next. */
const NAN_32 = 0x7fc00000;
const NAN_64_HIGH = 0x7ff80000;

function encodeFloats(lane: NumberLane, target: Float32Array): void {
  target.set(lane);
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < lane.length; i++) if (Number.isNaN(lane[i])) bits[i] = NAN_32;
}

function encodeDoubles(lane: NumberLane, bytes: Uint8Array): void {
  typedView(Float64Array, bytes).set(lane);
  const words = typedView(Uint32Array, bytes);
  for (let i = 0; i < lane.length; i++) {
    if (!Number.isNaN(lane[i])) continue;
    words[2 * i] = 0;
    words[2 * i + 1] = NAN_64_HIGH;
  }
}

type Narrow = (source: Float32Array, target: Uint16Array) => void;
type Widen = (source: Uint16Array, target: Float32Array) => void;

/** 16-bit floats, by way of float32: what ONNX Runtime does too. */
function halfCodec(narrow: Narrow, widen: Widen): Codec {
  return {
    decode(bytes, lane) {
      const floats = new Float32Array(lane.length);
      widen(typedView(Uint16Array, bytes), floats);
      lane.set(floats);
    },
    encode(lane, bytes) {
      const floats = new Float32Array(lane.length);
      encodeFloats(lane, floats);
      narrow(floats, typedView(Uint16Array, bytes));
    },
  };
}

const BOOL_CODEC: Codec = {
  decode(bytes, lane) {
    for (let i = 0; i < lane.length; i++) lane[i] = bytes[i] === 0 ? 0 : 1;
  },
  encode(lane, bytes) {
    // A NaN is true.
    for (let i = 0; i < lane.length; i++) bytes[i] = lane[i] === 0 ? 0 : 1;
  },
};

const CODECS: ReadonlyMap<DataTypeCode, Codec> = new Map([
  [
    DataType.FLOAT,
    {
      decode: (bytes, lane) => lane.set(typedView(Float32Array, bytes)),
      encode: (lane, bytes) => encodeFloats(lane, typedView(Float32Array, bytes)),
    },
  ],
  [DataType.DOUBLE, { decode: (bytes, lane) => lane.set(typedView(Float64Array, bytes)), encode: encodeDoubles }],
  [DataType.FLOAT16, halfCodec(float32ToFloat16, float16ToFloat32)],
  [DataType.BFLOAT16, halfCodec(float32ToBfloat16, bfloat16ToFloat32)],
  [DataType.INT8, integerCodec((bytes) => typedView(Int8Array, bytes))],
  [DataType.INT16, integerCodec((bytes) => typedView(Int16Array, bytes))],
  [DataType.INT32, integerCodec((bytes) => typedView(Int32Array, bytes))],
  [DataType.UINT8, integerCodec((bytes) => bytes)],
  [DataType.UINT16, integerCodec((bytes) => typedView(Uint16Array, bytes))],
  [DataType.UINT32, integerCodec((bytes) => typedView(Uint32Array, bytes))],
  [DataType.BOOL, BOOL_CODEC],
]);

/** Whether elements of this type are computed with as numbers, or as bigints; undefined for types that are not computed with. */
export function laneKind(dataType: DataTypeCode): 'number' | 'bigint' | undefined {
  if (dataType === DataType.INT64 || dataType === DataType.UINT64) return 'bigint';
  return CODECS.has(dataType) ? 'number' : undefined;
}

/** Reads `lane.length` elements as numbers; 64-bit integers are rounded beyond 2^53. */
export function decodeNumbers(dataType: DataTypeCode, bytes: Uint8Array, lane: NumberLane): void {
  const codec = CODECS.get(dataType);
  if (codec) codec.decode(bytes, lane);
  else {
    const values = bigView(dataType, bytes);
    for (let i = 0; i < lane.length; i++) lane[i] = Number(values[i]);
  }
}

/** Writes `lane.length` elements of a type of kind `number`: floats rounded to nearest even, integers wrapped around. */
export function encodeNumbers(dataType: DataTypeCode, lane: NumberLane, bytes: Uint8Array): void {
  CODECS.get(dataType)?.encode(lane, bytes);
}

/** 64-bit integers as they lie in memory. */
export function bigView(dataType: DataTypeCode, bytes: Uint8Array): BigLane {
  return dataType === DataType.UINT64 ? typedView(BigUint64Array, bytes) : typedView(BigInt64Array, bytes);
}

const MOST_NUMBERS = 2 ** 27;

/** All elements as numbers, like `decodeNumbers`. */
export function numbersOf(tensor: Tensor): NumberLane {
  // Eight bytes for each at once: only what is computed piece by piece may be larger.
  if (tensor.size > MOST_NUMBERS) refuse(`${tensor.size} elements are too many to compute with at once`);
  const lane = new Float64Array(tensor.size);
  decodeNumbers(tensor.dataType, tensor.bytes(), lane);
  return lane;
}

/** All elements of an integer tensor, or of a bool one, as bigints. */
export function bigintsOf(tensor: Tensor): BigLane {
  if (laneKind(tensor.dataType) === 'bigint') return bigView(tensor.dataType, tensor.bytes());
  return BigInt64Array.from(numbersOf(tensor), (value) => BigInt(value));
}

/** A tensor of numbers, as `encodeNumbers` writes them. */
export function numberTensor(dataType: DataTypeCode, dims: readonly number[], lane: NumberLane): Tensor {
  const bytes = new Uint8Array(rawByteLength(dataType, lane.length) ?? 0);
  encodeNumbers(dataType, lane, bytes);
  return Tensor.of(dataType, dims, bytes);
}

/** A tensor of any integer type, wrapped around. */
export function bigintTensor(dataType: DataTypeCode, dims: readonly number[], lane: BigLane): Tensor {
  if (laneKind(dataType) === 'bigint') return Tensor.of(dataType, dims, bytesOf(lane));
  // Only the low bits count, and those of an int32 are exact as a number.
  return numberTensor(
    dataType,
    dims,
    Float64Array.from(lane, (value) => Number(BigInt.asIntN(32, value))),
  );
}

export function bigMax(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

export function bigMin(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
