import { DataType, type DataTypeCode } from '../../tensor/dtype.js';

const signed = (bits: number): readonly [bigint, bigint] => [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
const unsigned = (bits: number): readonly [bigint, bigint] => [0n, (1n << BigInt(bits)) - 1n];

/** Least and greatest value of each integer type, bool included. */
export const INTEGER_RANGES: ReadonlyMap<DataTypeCode, readonly [least: bigint, greatest: bigint]> = new Map([
  [DataType.INT8, signed(8)],
  [DataType.INT16, signed(16)],
  [DataType.INT32, signed(32)],
  [DataType.INT64, signed(64)],
  [DataType.INT4, signed(4)],
  [DataType.INT2, signed(2)],
  [DataType.UINT8, unsigned(8)],
  [DataType.UINT16, unsigned(16)],
  [DataType.UINT32, unsigned(32)],
  [DataType.UINT64, unsigned(64)],
  [DataType.UINT4, unsigned(4)],
  [DataType.UINT2, unsigned(2)],
  [DataType.BOOL, unsigned(1)],
]);
