/**
 * The ONNX data types, one row each. Codes are those of `TensorProto.DataType` (onnx.proto, IR 14).
 * A code without a row is legal: it survives reading and writing, but nothing computes with it.
 */

export const DataType = {
  UNDEFINED: 0,
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
  FLOAT4E2M1: 23,
  FLOAT8E8M0: 24,
  UINT2: 25,
  INT2: 26,
  FLOAT6E2M3: 27,
  FLOAT6E3M2: 28,
} as const;

/** A `TensorProto.DataType` code, known or not. */
export type DataTypeCode = number;

/** The typed field of TensorProto that carries a data type when `raw_data` does not. */
export type TypedField = 'float_data' | 'int32_data' | 'int64_data' | 'double_data' | 'uint64_data' | 'string_data';

export interface DataTypeRow {
  readonly code: DataTypeCode;
  /** Name in the ONNX text syntax, for example `float16`. */
  readonly name: string;
  /** Bits an element takes in `raw_data`; 0 for STRING; undefined where the specification leaves the packing open. */
  readonly bits: number | undefined;
  readonly kind: 'float' | 'int' | 'uint' | 'bool' | 'complex' | 'string';
  readonly typedField: TypedField;
}

const row = (
  code: DataTypeCode,
  name: string,
  bits: number | undefined,
  kind: DataTypeRow['kind'],
  typedField: TypedField,
): DataTypeRow => ({ code, name, bits, kind, typedField });

export const DATA_TYPES: readonly DataTypeRow[] = [
  row(DataType.FLOAT, 'float', 32, 'float', 'float_data'),
  row(DataType.UINT8, 'uint8', 8, 'uint', 'int32_data'),
  row(DataType.INT8, 'int8', 8, 'int', 'int32_data'),
  row(DataType.UINT16, 'uint16', 16, 'uint', 'int32_data'),
  row(DataType.INT16, 'int16', 16, 'int', 'int32_data'),
  row(DataType.INT32, 'int32', 32, 'int', 'int32_data'),
  row(DataType.INT64, 'int64', 64, 'int', 'int64_data'),
  row(DataType.STRING, 'string', 0, 'string', 'string_data'),
  row(DataType.BOOL, 'bool', 8, 'bool', 'int32_data'),
  row(DataType.FLOAT16, 'float16', 16, 'float', 'int32_data'),
  row(DataType.DOUBLE, 'double', 64, 'float', 'double_data'),
  row(DataType.UINT32, 'uint32', 32, 'uint', 'uint64_data'),
  row(DataType.UINT64, 'uint64', 64, 'uint', 'uint64_data'),
  row(DataType.COMPLEX64, 'complex64', 64, 'complex', 'float_data'),
  row(DataType.COMPLEX128, 'complex128', 128, 'complex', 'double_data'),
  row(DataType.BFLOAT16, 'bfloat16', 16, 'float', 'int32_data'),
  row(DataType.FLOAT8E4M3FN, 'float8e4m3fn', 8, 'float', 'int32_data'),
  row(DataType.FLOAT8E4M3FNUZ, 'float8e4m3fnuz', 8, 'float', 'int32_data'),
  row(DataType.FLOAT8E5M2, 'float8e5m2', 8, 'float', 'int32_data'),
  row(DataType.FLOAT8E5M2FNUZ, 'float8e5m2fnuz', 8, 'float', 'int32_data'),
  row(DataType.UINT4, 'uint4', 4, 'uint', 'int32_data'),
  row(DataType.INT4, 'int4', 4, 'int', 'int32_data'),
  row(DataType.FLOAT4E2M1, 'float4e2m1', 4, 'float', 'int32_data'),
  row(DataType.FLOAT8E8M0, 'float8e8m0', 8, 'float', 'int32_data'),
  row(DataType.UINT2, 'uint2', 2, 'uint', 'int32_data'),
  row(DataType.INT2, 'int2', 2, 'int', 'int32_data'),
  row(DataType.FLOAT6E2M3, 'float6e2m3', undefined, 'float', 'int32_data'),
  row(DataType.FLOAT6E3M2, 'float6e3m2', undefined, 'float', 'int32_data'),
];

const byCode = new Map(DATA_TYPES.map((r) => [r.code, r]));
const byName = new Map(DATA_TYPES.map((r) => [r.name, r]));

/** The row of a code, or undefined for a code this version does not know. */
export function dataTypeRow(code: DataTypeCode): DataTypeRow | undefined {
  return byCode.get(code);
}

/** The code of a text-syntax name such as `float16`, or undefined. */
export function dataTypeFromName(name: string): DataTypeCode | undefined {
  return byName.get(name)?.code;
}

/** The text-syntax name of a code; `type(99)` for one without a row. */
export function dataTypeName(code: DataTypeCode): string {
  return byCode.get(code)?.name ?? (code === DataType.UNDEFINED ? 'undefined' : `type(${code})`);
}

/** Bytes that `count` elements take in `raw_data` (sub-byte types are packed, low bits first); undefined if unknown or STRING. */
export function rawByteLength(code: DataTypeCode, count: number): number | undefined {
  const bits = byCode.get(code)?.bits;
  return bits === undefined || bits === 0 ? undefined : Math.ceil((count * bits) / 8);
}

/** True for the floating-point types that a float model computes in: FLOAT, FLOAT16, BFLOAT16, DOUBLE. */
export function isFloat(code: DataTypeCode): boolean {
  return code === DataType.FLOAT || code === DataType.FLOAT16 || code === DataType.BFLOAT16 || code === DataType.DOUBLE;
}

export interface IntegerRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** True for the integer types of any width, and for BOOL. */
export function isInteger(code: DataTypeCode): boolean {
  return integerRange(code) !== undefined;
}

/** The values of an integer type or BOOL; undefined for other types. */
export function integerRange(code: DataTypeCode): IntegerRange | undefined {
  const { kind, bits } = byCode.get(code) ?? {};
  if (kind === 'bool') return { min: 0n, max: 1n };
  if (bits === undefined || (kind !== 'int' && kind !== 'uint')) return undefined;
  return kind === 'int'
    ? { min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n }
    : { min: 0n, max: (1n << BigInt(bits)) - 1n };
}
