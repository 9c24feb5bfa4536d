import { DataType, type DataTypeCode, dataTypeRow, type IntegerRange, integerRange } from '../../tensor/dtype.js';
import { bytesOf, typedView } from '../../tensor/tensor.js';

/**
 * How the elements of each data type are written in the text: `value` as numbers, `bits` as whole numbers that are bit
 * patterns (what onnx.parser does with 8- and 16-bit floats), `bytes` only as one quoted string of raw bytes.
 */
export type ElementForm = 'value' | 'bits' | 'string' | 'bytes';

const REAL: readonly DataTypeCode[] = [DataType.FLOAT, DataType.DOUBLE, DataType.COMPLEX64, DataType.COMPLEX128];

export function elementForm(dataType: DataTypeCode): ElementForm {
  const row = dataTypeRow(dataType);
  if (row === undefined || row.bits === undefined) return 'bytes';
  if (row.kind === 'string') return 'string';
  return row.kind === 'float' && !REAL.includes(dataType) ? 'bits' : 'value';
}

/** True for types whose elements are written as real numbers. */
export function isReal(dataType: DataTypeCode): boolean {
  return REAL.includes(dataType);
}

/** Literals an element takes: two for a complex number. */
export function literalsPerElement(dataType: DataTypeCode): number {
  return dataType === DataType.COMPLEX64 || dataType === DataType.COMPLEX128 ? 2 : 1;
}

/** The whole numbers an element may be written as: values, or bit patterns. */
export function literalRange(dataType: DataTypeCode): IntegerRange {
  return integerRange(dataType) ?? { min: 0n, max: (1n << BigInt(dataTypeRow(dataType)?.bits ?? 64)) - 1n };
}

/** Raw bytes of real numbers. */
export function encodeReals(dataType: DataTypeCode, values: readonly number[]): Uint8Array {
  const single = dataType === DataType.FLOAT || dataType === DataType.COMPLEX64;
  return bytesOf(single ? Float32Array.from(values) : Float64Array.from(values));
}

/** Raw bytes of whole numbers that are in range; types under a byte are packed, low bits first. */
export function encodeIntegers(dataType: DataTypeCode, values: readonly (number | bigint)[]): Uint8Array {
  const bits = dataTypeRow(dataType)?.bits ?? 64;
  if (bits === 64) return bytesOf(BigUint64Array.from(values, (v) => BigInt.asUintN(64, BigInt(v))));
  const numbers = values.map(Number);
  if (bits === 32) return bytesOf(Uint32Array.from(numbers, (v) => v >>> 0));
  if (bits === 16) return bytesOf(Uint16Array.from(numbers));
  if (bits === 8) return Uint8Array.from(numbers);
  const perByte = 8 / bits;
  const packed = new Uint8Array(Math.ceil(numbers.length / perByte));
  numbers.forEach((value, i) => {
    const at = Math.floor(i / perByte);
    packed[at] = (packed[at] ?? 0) | ((value & ((1 << bits) - 1)) << ((i % perByte) * bits));
  });
  return packed;
}

/** The first `count` literals of raw bytes, as text; a piece of the tensor is enough when it holds them. */
export function formatElements(dataType: DataTypeCode, bytes: Uint8Array, count: number): string[] {
  if (dataType === DataType.FLOAT || dataType === DataType.COMPLEX64) {
    return Array.from(typedView(Float32Array, bytes).subarray(0, count), formatFloat32);
  }
  if (dataType === DataType.DOUBLE || dataType === DataType.COMPLEX128) {
    return Array.from(typedView(Float64Array, bytes).subarray(0, count), formatFloat64);
  }
  return Array.from(integerView(dataType, bytes, count), String);
}

type Integers = Iterable<number | bigint>;

function integerView(dataType: DataTypeCode, bytes: Uint8Array, count: number): Integers {
  const row = dataTypeRow(dataType);
  const bits = row?.bits ?? 8;
  const signed = row?.kind === 'int';
  switch (`${signed ? 'int' : 'uint'}${bits}`) {
    case 'int64':
      return typedView(BigInt64Array, bytes).subarray(0, count);
    case 'uint64':
      return typedView(BigUint64Array, bytes).subarray(0, count);
    case 'int32':
      return typedView(Int32Array, bytes).subarray(0, count);
    case 'uint32':
      return typedView(Uint32Array, bytes).subarray(0, count);
    case 'int16':
      return typedView(Int16Array, bytes).subarray(0, count);
    case 'uint16':
      return typedView(Uint16Array, bytes).subarray(0, count);
    case 'int8':
      return typedView(Int8Array, bytes).subarray(0, count);
    case 'uint8':
      return bytes.subarray(0, count);
    default:
      return packedIntegers(bits, signed, bytes, count);
  }
}

/** Elements under a byte: low bits first. */
function packedIntegers(bits: number, signed: boolean, bytes: Uint8Array, count: number): Integers {
  const perByte = 8 / bits;
  const values = new Int8Array(Math.min(count, bytes.length * perByte));
  for (let i = 0; i < values.length; i++) {
    const field = ((bytes[Math.floor(i / perByte)] ?? 0) >> ((i % perByte) * bits)) & ((1 << bits) - 1);
    values[i] = signed && field >= 1 << (bits - 1) ? field - (1 << bits) : field;
  }
  return values;
}

/** The shortest decimal that reads back as the same float32; always with a point, exponent or word, so that it reads as a float. */
export function formatFloat32(value: number): string {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Object.is(Math.fround(short), value)) return formatFloat64(short);
  }
  return formatFloat64(value);
}

/** The shortest decimal that reads back as the same float64. */
export function formatFloat64(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** True when every NaN among real numbers is the one that `nan` reads as, so that text loses nothing. */
export function nansAreCanonical(dataType: DataTypeCode, bytes: Uint8Array): boolean {
  if (dataType === DataType.FLOAT || dataType === DataType.COMPLEX64) {
    const bits = typedView(Uint32Array, bytes);
    return bits.every((b) => (b & 0x7fffffff) <= 0x7f800000 || b === CANONICAL_NAN_32);
  }
  const bits = typedView(BigUint64Array, bytes);
  return bits.every((b) => (b & 0x7fff_ffff_ffff_ffffn) <= 0x7ff0_0000_0000_0000n || b === CANONICAL_NAN_64);
}

const CANONICAL_NAN_32 = 0x7fc00000;
const CANONICAL_NAN_64 = 0x7ff8_0000_0000_0000n;
