/** How Cast turns elements of one numeric type into those of another. Types below a byte come one a byte. */
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../tensor/bfloat16.js';
import { DataType, type DataTypeCode, integerRange, isInteger } from '../../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../../tensor/float16.js';
import { encodeSmallFloats, exponentCode, type RoundMode, smallFloatValues } from '../../tensor/small-float.js';
import { type Tensor, typedView } from '../../tensor/tensor.js';
import type { MapElements } from './computed-tensor.js';
import { refuse } from './kernel-context.js';
import { bigView, decodeNumbers, encodeNumbers, laneKind, type NumberLane } from './lane.js';
import { cellsFor } from './moved-tensor.js';

export interface CastOptions {
  readonly saturate: boolean;
  readonly roundMode: RoundMode;
}

export interface ElementCaster {
  readonly map: MapElements;
  /** Refuses a tensor with a value whose result is not defined; absent where every value has one. */
  readonly check?: (source: Tensor) => void;
}

/** Elements converted at a time. */
const LANE = 2048;

type Read = (bytes: Uint8Array, from: number, lane: NumberLane) => void;
type Write = (lane: NumberLane, bytes: Uint8Array, from: number) => void;

/** Undefined for pairs of types that are not converted. */
export function elementCaster(from: DataTypeCode, to: DataTypeCode, options: CastOptions): ElementCaster | undefined {
  const direct = DIRECT.get(pairKey(from, to));
  if (direct) return { map: direct };
  const read = reader(from, to);
  const write = writer(to, options);
  if (!read || !write) return undefined;
  const accepts = acceptance(from, to, options);
  const map: MapElements = (source, target, count) => {
    const room = new Float64Array(Math.min(LANE, count));
    for (let at = 0; at < count; at += LANE) {
      const lane = room.subarray(0, Math.min(LANE, count - at));
      read(source, at, lane);
      write(lane, target, at);
    }
  };
  if (!accepts) return { map };
  const check = (source: Tensor): void => {
    const cells = cellsFor(source);
    const loaded = cells.load(source);
    const bytes = new Uint8Array(loaded.buffer, loaded.byteOffset, loaded.byteLength);
    const room = new Float64Array(Math.min(LANE, source.size));
    for (let at = 0; at < source.size; at += LANE) {
      const lane = room.subarray(0, Math.min(LANE, source.size - at));
      read(bytes, at, lane);
      for (let i = 0; i < lane.length; i++)
        if (!accepts(lane[i] as number)) refuse(`the result for ${lane[i]} is not defined`);
    }
  };
  return { map, check };
}

/** A function that says which values have a defined result; undefined when all have. */
function acceptance(
  from: DataTypeCode,
  to: DataTypeCode,
  options: CastOptions,
): ((value: number) => boolean) | undefined {
  // Runtimes look at the bits of a small -0.
  if (to === DataType.BOOL) return smallFloatValues(from) ? (value) => !Object.is(value, -0) : undefined;
  const range = integerRange(to);
  if (range) {
    // Integers wrap around, whatever their size.
    if (isInteger(from)) return undefined;
    const least = Number(range.min);
    const limit = Number(range.max + 1n);
    return (value) => Math.trunc(value) >= least && Math.trunc(value) < limit;
  }
  if (to === DataType.FLOAT8E8M0)
    return (value) => exponentCode(Math.fround(value), options.roundMode, options.saturate) !== undefined;
  const contested = options.saturate ? undefined : CONTESTED.get(to);
  if (contested) return (value) => !contested(Math.abs(Math.fround(value)));
  if (to === DataType.FLOAT4E2M1) return (value) => !Number.isNaN(value);
  return undefined;
}

/** Where, without saturation, ONNX Runtime does not give what the specification's table does. */
const CONTESTED: ReadonlyMap<DataTypeCode, (size: number) => boolean> = new Map([
  [DataType.FLOAT8E4M3FN, (size: number) => size >= 480 && size < 496],
  [DataType.FLOAT8E5M2, (size: number) => size >= 61440 && size < 65536],
]);

function reader(from: DataTypeCode, to: DataTypeCode): Read | undefined {
  const range = integerRange(from);
  if (laneKind(from) === 'bigint') return bigReader(from, to);
  if (laneKind(from) === 'number') {
    const size = ELEMENT_BYTES.get(from) ?? 4;
    return (bytes, at, lane) => decodeNumbers(from, bytes.subarray(at * size, (at + lane.length) * size), lane);
  }
  const values = smallFloatValues(from);
  if (values)
    return (bytes, at, lane) => {
      for (let i = 0; i < lane.length; i++) lane[i] = values[bytes[at + i] as number] as number;
    };
  if (!range) return undefined;
  // 4 and 2 bits, one element a byte.
  const limit = Number(range.max);
  const wrap = limit + 1 - Number(range.min);
  return (bytes, at, lane) => {
    for (let i = 0; i < lane.length; i++) {
      const code = bytes[at + i] as number;
      lane[i] = code > limit ? code - wrap : code;
    }
  };
}

/** 64-bit integers as float64: rounded once to a float type, their low bits to a shorter integer type. */
function bigReader(from: DataTypeCode, to: DataTypeCode): Read {
  if (isInteger(to)) {
    const isBool = to === DataType.BOOL;
    return (bytes, at, lane) => {
      const words = typedView(Int32Array, bytes.subarray(at * 8, (at + lane.length) * 8));
      for (let i = 0; i < lane.length; i++) {
        const low = words[2 * i] as number;
        lane[i] = isBool ? low | (words[2 * i + 1] as number) : low;
      }
    };
  }
  const isDouble = to === DataType.DOUBLE;
  return (bytes, at, lane) => {
    const values = bigView(from, bytes.subarray(at * 8, (at + lane.length) * 8));
    for (let i = 0; i < lane.length; i++) {
      const value = values[i] as bigint;
      lane[i] = isDouble ? Number(value) : Number(stickyBits(value));
    }
  };
}

const EXACT = 1n << 53n;

/**
 * A number that a float64 holds exactly and that rounds to the same float32: bits below the 50th are gathered in
 * one, so that rounding twice is rounding once.
 */
function stickyBits(value: bigint): bigint {
  if (value >= -EXACT && value <= EXACT) return value;
  const kept = (value >> 12n) << 12n;
  return kept === value ? value : kept | (1n << 12n);
}

function writer(to: DataTypeCode, options: CastOptions): Write | undefined {
  if (laneKind(to) === 'bigint') return writeBig;
  if (laneKind(to) === 'number') {
    const size = ELEMENT_BYTES.get(to) ?? 4;
    return (lane, bytes, at) => encodeNumbers(to, lane, bytes.subarray(at * size, (at + lane.length) * size));
  }
  if (isInteger(to)) {
    const mask = to === DataType.INT4 || to === DataType.UINT4 ? 0xf : 0x3;
    return (lane, bytes, at) => {
      for (let i = 0; i < lane.length; i++) bytes[at + i] = (lane[i] as number) & mask;
    };
  }
  if (to === DataType.FLOAT8E8M0) {
    return (lane, bytes, at) => {
      for (let i = 0; i < lane.length; i++)
        bytes[at + i] = exponentCode(Math.fround(lane[i] as number), options.roundMode, options.saturate) ?? 255;
    };
  }
  if (!smallFloatValues(to)) return undefined;
  // By way of float32, as ONNX Runtime does. The 4-bit type always saturates.
  const saturates = options.saturate || to === DataType.FLOAT4E2M1;
  return (lane, bytes, at) =>
    encodeSmallFloats(to, new Float32Array(lane), bytes.subarray(at, at + lane.length), saturates);
}

/** Whole numbers of up to 64 bits, as two words: exact, since what a float64 holds beyond 2^53 has zeros below. */
function writeBig(lane: NumberLane, bytes: Uint8Array, at: number): void {
  const words = typedView(Uint32Array, bytes.subarray(at * 8, (at + lane.length) * 8));
  for (let i = 0; i < lane.length; i++) {
    const value = Math.trunc(lane[i] as number);
    const high = Math.floor(value / 4294967296);
    words[2 * i] = value - high * 4294967296;
    words[2 * i + 1] = high;
  }
}

const ELEMENT_BYTES: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.BOOL, 1],
  [DataType.INT8, 1],
  [DataType.UINT8, 1],
  [DataType.INT16, 2],
  [DataType.UINT16, 2],
  [DataType.FLOAT16, 2],
  [DataType.BFLOAT16, 2],
  [DataType.DOUBLE, 8],
]);

function pairKey(from: DataTypeCode, to: DataTypeCode): number {
  return from * 256 + to;
}

/** Pairs with loops of their own. */
const DIRECT: ReadonlyMap<number, MapElements> = new Map<number, MapElements>([
  [pairKey(DataType.INT64, DataType.UINT64), (s, t) => t.set(s)],
  [pairKey(DataType.UINT64, DataType.INT64), (s, t) => t.set(s)],
  [
    pairKey(DataType.FLOAT, DataType.FLOAT16),
    (s, t) => float32ToFloat16(typedView(Int32Array, s), typedView(Uint16Array, t)),
  ],
  [
    pairKey(DataType.FLOAT, DataType.BFLOAT16),
    (s, t) => float32ToBfloat16(typedView(Int32Array, s), typedView(Uint16Array, t)),
  ],
  [
    pairKey(DataType.FLOAT16, DataType.FLOAT),
    (s, t) => float16ToFloat32(typedView(Uint16Array, s), typedView(Float32Array, t)),
  ],
  [
    pairKey(DataType.BFLOAT16, DataType.FLOAT),
    (s, t) => bfloat16ToFloat32(typedView(Uint16Array, s), typedView(Float32Array, t)),
  ],
]);
