import { FileBytes } from '../../codec/byte-source.js';
import { type Field, WIRE, type WireReader } from '../../codec/wire-reader.js';
import type { ServeOptError } from '../../errors.js';
import type { DataTypeRow } from '../../tensor/dtype.js';
import { rawByteLength } from '../../tensor/dtype.js';
import { CHUNK_BYTES, type TensorBytes } from '../../tensor/tensor.js';

/** Bytes that one element of the typed field stands for in raw form: what float_data, int64_data and double_data pack as is. */
const FIXED_WIDTH = { float_data: 4, double_data: 8 } as const;

/**
 * The data of a TensorProto's typed fields in `raw_data` form. Fixed-width fields in one packed piece stay in the
 * file; the others are decoded when first touched. The element count is checked now.
 */
export function typedFieldBytes(
  reader: WireReader,
  fields: readonly Field[],
  row: DataTypeRow,
  size: number,
  fail: (what: string) => ServeOptError,
): TensorBytes {
  const byteLength = rawByteLength(row.code, size);
  if (byteLength === undefined) throw fail(`of ${row.name} has a packing that the ONNX specification does not define`);
  const width =
    row.typedField === 'float_data' || row.typedField === 'double_data' ? FIXED_WIDTH[row.typedField] : undefined;
  if (width !== undefined) {
    const total = fields.reduce((sum, field) => sum + (field.end - field.start), 0);
    if (total !== byteLength)
      throw fail(`needs ${byteLength / width} values but ${row.typedField} has ${total / width}`);
    const only = fields[0];
    if (fields.length === 1 && only) return new FileBytes({ source: reader.source, start: only.start, end: only.end });
    return lazily(byteLength, () => concatenate(reader, fields, byteLength));
  }
  // int32_data carries sub-byte types packed two (or four) to an entry, one byte used of each (onnx.proto).
  const bits = row.bits ?? 0;
  const expected = bits < 8 ? byteLength : size;
  const count = fields.reduce((sum, field) => sum + varintCount(reader, field), 0);
  if (count !== expected) throw fail(`needs ${expected} values but ${row.typedField} has ${count}`);
  return lazily(byteLength, () => decodeVarints(reader, fields, Math.max(1, bits / 8), byteLength));
}

function lazily(byteLength: number, read: () => Uint8Array): TensorBytes {
  return {
    byteLength,
    read,
    *chunks() {
      const bytes = read();
      for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    },
  };
}

function concatenate(reader: WireReader, fields: readonly Field[], byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const field of fields) {
    bytes.set(reader.source.read(field.start, field.end), at);
    at += field.end - field.start;
  }
  return bytes;
}

/** Values in a field: each varint ends with the one byte whose high bit is clear. */
function varintCount(reader: WireReader, field: Field): number {
  if (field.wire === WIRE.varint) return 1;
  let count = 0;
  for (const piece of new FileBytes({ source: reader.source, start: field.start, end: field.end }).chunks()) {
    for (let i = 0; i < piece.length; i++) if ((piece[i] as number) < 0x80) count++;
  }
  return count;
}

function decodeVarints(reader: WireReader, fields: readonly Field[], width: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const values: (number | bigint)[] = [];
  for (const field of fields) {
    values.length = 0;
    reader.pushInt64s(field, values);
    for (const value of values) {
      if (width === 8) view.setBigInt64(at, BigInt(value), true);
      else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, BigInt(value))), true);
      else if (width === 2) view.setUint16(at, Number(value) & 0xffff, true);
      else bytes[at] = Number(value) & 0xff;
      at += width;
    }
  }
  return bytes;
}
