/** Tensor data in the typed fields of TensorProto, from its raw bytes (onnx.proto, TensorProto). */
import type { DataTypeRow } from '../../src/tensor/dtype.js';
import * as wire from './wire.js';

const FIELD = {
  float_data: 4,
  int32_data: 5,
  string_data: 6,
  int64_data: 7,
  double_data: 10,
  uint64_data: 11,
} as const;

/** The field or fields that carry the bytes: one packed field, or one field an element. */
export function typedFields(row: DataTypeRow, bytes: wire.Bytes, packed: boolean): wire.Bytes[] {
  const field = FIELD[row.typedField];
  if (row.typedField === 'float_data' || row.typedField === 'double_data') {
    const width = row.typedField === 'float_data' ? 4 : 8;
    if (packed) return [wire.message(field, bytes)];
    return slices(bytes, width).map((element) => wire.concat(wire.tag(field, width === 4 ? 5 : 1), element));
  }
  const values = slices(bytes, Math.max(1, (row.bits ?? 8) / 8)).map((element) => entry(row, element));
  return packed ? [wire.packed(field, values)] : values.map((value) => wire.int(field, value));
}

/** The value of an entry: signed for signed types, else the bits as an unsigned number. */
function entry(row: DataTypeRow, element: wire.Bytes): bigint {
  let value = 0n;
  for (let index = element.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(element[index] ?? 0);
  return row.kind === 'int' && (row.bits ?? 0) >= 8 ? BigInt.asIntN(element.length * 8, value) : value;
}

function slices(bytes: wire.Bytes, width: number): wire.Bytes[] {
  return Array.from({ length: bytes.length / width }, (_, index) => bytes.subarray(index * width, (index + 1) * width));
}
