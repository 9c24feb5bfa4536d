import { fromBfloat16 } from '../tensor/bfloat16.js';
import { DataType, dataTypeRow } from '../tensor/dtype.js';
import { fromFloat16 } from '../tensor/float16.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The number that every element of a tensor is, bit for bit (so -0 is not 0); bool counts as 0 and 1. Undefined for an
 * empty tensor, for elements that differ, and for types without a plain number. Reads no further than the first difference.
 */
export function uniformElement(tensor: Tensor): number | undefined {
  const decode = DECODERS.get(tensor.dataType);
  const width = (dataTypeRow(tensor.dataType)?.bits ?? 0) / 8;
  if (!decode || tensor.size === 0) return undefined;
  const start = tensor.data.range?.(0, Math.min(tensor.byteLength, PROBE_BYTES));
  if (start && !isRepeated(start, width)) return undefined;
  let first: Uint8Array | undefined;
  for (const chunk of tensor.data.chunks()) {
    // A chunk is valid until the next one only.
    first ??= new Uint8Array(chunk.subarray(0, width));
    if (Buffer.compare(first, chunk.subarray(0, width)) !== 0) return undefined;
    if (!isRepeated(chunk, width)) return undefined;
  }
  return first && decode(new DataView(first.buffer, first.byteOffset, first.byteLength));
}

/** Few bytes tell most tensors. */
const PROBE_BYTES = 64;

function isRepeated(bytes: Uint8Array, width: number): boolean {
  return Buffer.compare(bytes.subarray(width), bytes.subarray(0, bytes.byteLength - width)) === 0;
}

const safe = (value: bigint): number | undefined =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : undefined;

const DECODERS: ReadonlyMap<number, (bytes: DataView) => number | undefined> = new Map([
  [DataType.FLOAT, (bytes: DataView) => bytes.getFloat32(0, true)],
  [DataType.DOUBLE, (bytes: DataView) => bytes.getFloat64(0, true)],
  [DataType.FLOAT16, (bytes: DataView) => fromFloat16(bytes.getUint16(0, true))],
  [DataType.BFLOAT16, (bytes: DataView) => fromBfloat16(bytes.getUint16(0, true))],
  [DataType.BOOL, (bytes: DataView) => Number(bytes.getUint8(0) !== 0)],
  [DataType.INT8, (bytes: DataView) => bytes.getInt8(0)],
  [DataType.UINT8, (bytes: DataView) => bytes.getUint8(0)],
  [DataType.INT16, (bytes: DataView) => bytes.getInt16(0, true)],
  [DataType.UINT16, (bytes: DataView) => bytes.getUint16(0, true)],
  [DataType.INT32, (bytes: DataView) => bytes.getInt32(0, true)],
  [DataType.UINT32, (bytes: DataView) => bytes.getUint32(0, true)],
  [DataType.INT64, (bytes: DataView) => safe(bytes.getBigInt64(0, true))],
  [DataType.UINT64, (bytes: DataView) => safe(bytes.getBigUint64(0, true))],
]);
