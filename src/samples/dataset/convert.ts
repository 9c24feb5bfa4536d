import { ServeOptError } from '../../errors.js';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../tensor/bfloat16.js';
import { DataType, type DataTypeCode, dataTypeName, dataTypeRow } from '../../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../../tensor/float16.js';
import type { HostData, ValueSpec } from '../types.js';
import type { SourceArray } from './source-array.js';

type NumericData = Exclude<HostData, readonly string[]>;
type NumberData = Exclude<NumericData, BigInt64Array | BigUint64Array>;

interface Storage {
  make(count: number): NumericData;
  /** Inclusive range of an integer type. */
  readonly range?: readonly [bigint, bigint];
}

const integer = (make: (n: number) => NumericData, bits: number, signed: boolean): Storage => {
  const span = 1n << BigInt(bits);
  return { make, range: signed ? [-span / 2n, span / 2n - 1n] : [0n, span - 1n] };
};

/** The types that a HostTensor can hold, strings apart. */
const STORAGE = new Map<DataTypeCode, Storage>([
  [DataType.FLOAT, { make: (n) => new Float32Array(n) }],
  [DataType.DOUBLE, { make: (n) => new Float64Array(n) }],
  [DataType.FLOAT16, { make: (n) => new Uint16Array(n) }],
  [DataType.BFLOAT16, { make: (n) => new Uint16Array(n) }],
  [DataType.BOOL, integer((n) => new Uint8Array(n), 1, false)],
  [DataType.INT8, integer((n) => new Int8Array(n), 8, true)],
  [DataType.UINT8, integer((n) => new Uint8Array(n), 8, false)],
  [DataType.INT16, integer((n) => new Int16Array(n), 16, true)],
  [DataType.UINT16, integer((n) => new Uint16Array(n), 16, false)],
  [DataType.INT32, integer((n) => new Int32Array(n), 32, true)],
  [DataType.UINT32, integer((n) => new Uint32Array(n), 32, false)],
  [DataType.INT64, integer((n) => new BigInt64Array(n), 64, true)],
  [DataType.UINT64, integer((n) => new BigUint64Array(n), 64, false)],
]);

/** An empty HostData of `count` elements; undefined for a type that HostTensor cannot hold. */
export function makeHostData(dataType: DataTypeCode, count: number): HostData | undefined {
  if (dataType === DataType.STRING) return new Array<string>(count).fill('');
  return STORAGE.get(dataType)?.make(count);
}

const isFloatKind = (code: DataTypeCode) => dataTypeRow(code)?.kind === 'float';

/**
 * Why data of one type cannot stand for a model input of another, whatever its values; undefined when it can.
 * Floats may be rounded to another float type; integers must fit; a float never becomes an integer unless it comes from
 * a text format, where a number has no type.
 */
export function refuseConversion(array: SourceArray, spec: ValueSpec): string | undefined {
  const from = array.dataType;
  const to = spec.dataType;
  if (to === undefined) return 'only tensor inputs are supported';
  if (from === to) return undefined;
  if (to !== DataType.STRING && !STORAGE.has(to)) return `no data format has the type ${dataTypeName(to)}`;
  if (from === DataType.STRING || to === DataType.STRING) return 'strings and numbers are not converted to each other';
  if (isFloatKind(from) && !isFloatKind(to) && !array.untyped) return 'floats are not rounded to integers';
  return undefined;
}

/**
 * `data` of `array` as the model's type; `data` itself when the types are equal.
 * @throws SO4002 when a value does not survive: an integer out of range, or not exact in a narrower float.
 */
export function convertData(data: HostData, array: SourceArray, spec: ValueSpec): HostData {
  const to = spec.dataType;
  if (array.dataType === to || to === undefined || Array.isArray(data)) return data;
  const source = widenHalf(data as NumericData, array.dataType);
  const exact = !isFloatKind(array.dataType);
  if (isFloatKind(to)) return toFloat(source, to, exact, array, spec);
  return toInteger(source, to, array, spec);
}

/** Numbers of any type as Float64Array or, where it is exact, the array itself. 16-bit floats are decoded from their bits. */
export function widenHalf(data: NumericData, dataType: DataTypeCode): NumericData {
  if (dataType !== DataType.FLOAT16 && dataType !== DataType.BFLOAT16) return data;
  const wide = new Float32Array(data.length);
  if (dataType === DataType.FLOAT16) float16ToFloat32(data as Uint16Array, wide);
  else bfloat16ToFloat32(data as Uint16Array, wide);
  return wide;
}

function toFloat(source: NumericData, to: DataTypeCode, exact: boolean, array: SourceArray, spec: ValueSpec): HostData {
  const wide = to === DataType.DOUBLE ? new Float64Array(source.length) : new Float32Array(source.length);
  if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
    for (let i = 0; i < source.length; i++) wide[i] = Number(source[i]);
  } else wide.set(source);
  let result: HostData = wide;
  let back: NumericData = wide;
  if (to === DataType.FLOAT16 || to === DataType.BFLOAT16) {
    const half = new Uint16Array(wide.length);
    if (to === DataType.FLOAT16) float32ToFloat16(wide as Float32Array, half);
    else float32ToBfloat16(wide as Float32Array, half);
    result = half;
    back = widenHalf(half, to);
  }
  if (exact) {
    for (let i = 0; i < source.length; i++) {
      if (Number(source[i]) !== back[i] || (typeof source[i] === 'bigint' && BigInt(back[i] as number) !== source[i]))
        throw badValue(String(source[i]), 'is not exact in', array, spec);
    }
  }
  return result;
}

function toInteger(source: NumericData, to: DataTypeCode, array: SourceArray, spec: ValueSpec): HostData {
  const storage = STORAGE.get(to) as Storage;
  const [low, high] = storage.range as readonly [bigint, bigint];
  const target = storage.make(source.length);
  const wideTarget = target instanceof BigInt64Array || target instanceof BigUint64Array;
  if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
    for (let i = 0; i < source.length; i++) {
      const value = source[i] as bigint;
      if (value < low || value > high) throw badValue(String(value), 'does not fit', array, spec);
      if (wideTarget) target[i] = value;
      else (target as NumberData)[i] = Number(value);
    }
    return target;
  }
  const [lowNumber, highNumber] = [Number(low), Number(high)];
  for (let i = 0; i < source.length; i++) {
    const value = source[i] as number;
    // Beyond 2^53 a number read from text is not the integer that was written.
    if (!Number.isSafeInteger(value) || value < lowNumber || value > highNumber)
      throw badValue(String(value), 'does not fit', array, spec);
    if (wideTarget) target[i] = BigInt(value);
    else (target as NumberData)[i] = value;
  }
  return target;
}

function badValue(value: string, what: string, array: SourceArray, spec: ValueSpec): ServeOptError {
  return new ServeOptError(
    'SO4002',
    `Input "${spec.name}" is ${spec.typeText}, but the value ${value} in "${array.label}" (${array.typeText}) ${what} ${dataTypeName(spec.dataType ?? 0)}`,
  );
}
