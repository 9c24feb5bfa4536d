import { ServeOptError } from '../errors.js';
import { uninitializedBytes } from '../tensor/tensor.js';
import type { ByteSource } from './byte-source.js';
import type { FieldRow, FieldTable } from './fields.js';
import { decodeUtf8 } from './utf8.js';

/** Protocol buffer wire types (protobuf encoding specification). */
export const WIRE = { varint: 0, fixed64: 1, length: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

/** One field of a message: its tag stands at `tagStart`, its payload at `start..end`. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The row of the table, or undefined for a field this version does not know. */
  readonly row: FieldRow | undefined;
  readonly tagStart: number;
  readonly start: number;
  readonly end: number;
  /** The value of a varint field as a signed int64. */
  readonly value: number | bigint;
}

/** A range of bytes in the reader's source. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const WINDOW_BYTES = 64 * 1024;
const MAX_GROUP_DEPTH = 100;
/** Names and documentation beyond this are no text but a way to fill memory. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Values of one attribute that are held in memory as a list; tensors are read lazily and have no such limit. */
export const MAX_LIST_VALUES = 32 * 1024 * 1024;

/**
 * Reads protobuf fields at any offset of a source through a small window, so that a message is walked without
 * reading the payloads it skips. Every error carries the byte offset.
 */
export class WireReader {
  readonly source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #base = 0;
  readonly #buffer: Uint8Array;
  /** Position after the last varint read. */
  #next = 0;

  constructor(source: ByteSource) {
    this.source = source;
    this.#buffer = source.path === undefined ? new Uint8Array(0) : uninitializedBytes(WINDOW_BYTES);
    if (source.path === undefined) this.#window = source.read(0, source.sizeBytes);
  }

  damaged(message: string, byteOffset: number, why?: string): ServeOptError {
    return new ServeOptError('SO2006', `${message} at byte ${byteOffset}`, {
      location: { file: this.source.label, byteOffset },
      ...(why === undefined ? {} : { why }),
    });
  }

  tooLarge(what: string, byteOffset: number): ServeOptError {
    return new ServeOptError('SO2104', `${what} is too large to read (at byte ${byteOffset})`, {
      location: { file: this.source.label, byteOffset },
    });
  }

  #early(message: string, byteOffset: number): ServeOptError {
    return new ServeOptError('SO2005', `"${this.source.label}" ends early: ${message} at byte ${byteOffset}`, {
      location: { file: this.source.label, byteOffset },
    });
  }

  #fill(at: number): void {
    const length = Math.min(WINDOW_BYTES, this.source.sizeBytes - at);
    const piece = this.#buffer.subarray(0, length);
    this.source.readInto(piece, at);
    this.#window = piece;
    this.#base = at;
  }

  #byte(at: number): number {
    const index = at - this.#base;
    if (index >= 0 && index < this.#window.length) return this.#window[index] as number;
    this.#fill(at);
    return this.#window[0] as number;
  }

  /** Decodes the varint at `at`, which must end before `end`, as unsigned; `#next` is left behind it. */
  #varint(at: number, end: number): number | bigint {
    let low = 0;
    let scale = 1;
    let position = at;
    for (let count = 0; count < 10; count++) {
      if (position >= end) throw this.#overrun(`a varint`, at, end);
      const byte = this.#byte(position++);
      if (count < 7) {
        low += (byte & 0x7f) * scale;
        scale *= 128;
        if (byte < 0x80) {
          this.#next = position;
          return low;
        }
      } else if (byte < 0x80) {
        this.#next = position;
        return this.#bigVarint(at, position);
      }
    }
    throw this.damaged('A varint is longer than 10 bytes', at);
  }

  #bigVarint(at: number, end: number): number | bigint {
    let value = 0n;
    for (let position = end - 1; position >= at; position--)
      value = (value << 7n) | BigInt(this.#byte(position) & 0x7f);
    const wrapped = BigInt.asUintN(64, value);
    return wrapped <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wrapped) : wrapped;
  }

  #overrun(what: string, at: number, end: number): ServeOptError {
    return end === this.source.sizeBytes
      ? this.#early(`${what} is cut off`, at)
      : this.damaged(`${what} extends beyond its message`, at);
  }

  /** The signed int64 varint at `at`, with the position behind it. */
  int64At(at: number, end: number): { readonly value: number | bigint; readonly next: number } {
    const value = signed(this.#varint(at, end));
    return { value, next: this.#next };
  }

  /** Reads the field whose tag is at `at`, inside a message of the given table that ends at `end`. */
  field(at: number, end: number, table: FieldTable): Field {
    const tag = this.#varint(at, end);
    if (typeof tag === 'bigint' || tag > 0xffffffff)
      throw this.damaged(`${table.message} has an invalid field tag`, at);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    const start = this.#next;
    if (number === 0) throw this.damaged(`${table.message} has a field number 0`, at);
    const row = table.rows.get(number);
    if (row && !row.wires.includes(wire)) {
      throw this.damaged(
        `Field "${row.name}" of ${table.message} has wire type ${wire}`,
        at,
        `expected ${row.wires.join(' or ')}`,
      );
    }
    switch (wire) {
      case WIRE.varint: {
        const value = signed(this.#varint(start, end));
        return { number, wire, row, tagStart: at, start, end: this.#next, value };
      }
      case WIRE.fixed64:
      case WIRE.fixed32: {
        const stop = start + (wire === WIRE.fixed64 ? 8 : 4);
        if (stop > end) throw this.#overrun(this.#name(number, row, table), at, end);
        return { number, wire, row, tagStart: at, start, end: stop, value: 0 };
      }
      case WIRE.length: {
        const length = this.#varint(start, end);
        const payload = this.#next;
        if (typeof length === 'bigint' || payload + length > end) {
          const what = `${this.#name(number, row, table)} claims ${length} bytes, but ${end - payload} are left, so it`;
          throw this.#overrun(what, at, end);
        }
        return { number, wire, row, tagStart: at, start: payload, end: payload + length, value: 0 };
      }
      case WIRE.groupStart:
        return { number, wire, row, tagStart: at, start, end: this.#skipGroup(at, start, end, number), value: 0 };
      default:
        throw this.damaged(`${table.message} has wire type ${wire}`, at, 'it does not exist in protobuf');
    }
  }

  #name(number: number, row: FieldRow | undefined, table: FieldTable): string {
    return row ? `field "${row.name}" of ${table.message}` : `unknown field ${number} of ${table.message}`;
  }

  /** Walks over an unknown group without recursion; returns the position behind its end tag. */
  #skipGroup(tagStart: number, start: number, end: number, number: number): number {
    const open = [number];
    let at = start;
    while (open.length > 0) {
      if (at >= end) throw this.#overrun('a group that is not closed', tagStart, end);
      const tag = Number(this.#varint(at, end));
      const inner = Math.floor(tag / 8);
      const wire = tag % 8;
      let next = this.#next;
      if (wire === WIRE.groupEnd) {
        if (open.pop() !== inner) throw this.damaged('A group is closed by another field number', at);
      } else if (wire === WIRE.groupStart) {
        open.push(inner);
        if (open.length > MAX_GROUP_DEPTH) {
          throw new ServeOptError('SO2007', `Groups are nested deeper than ${MAX_GROUP_DEPTH} at byte ${at}`, {
            location: { file: this.source.label, byteOffset: at },
          });
        }
      } else if (wire === WIRE.varint) {
        this.#varint(next, end);
        next = this.#next;
      } else if (wire === WIRE.fixed32) next += 4;
      else if (wire === WIRE.fixed64) next += 8;
      else if (wire === WIRE.length) {
        const length = this.#varint(next, end);
        next = this.#next + Number(length);
      } else throw this.damaged(`A group has wire type ${wire}`, at);
      if (next > end) throw this.#overrun('a field of a group', at, end);
      at = next;
    }
    return at;
  }

  /** Every field of a message whose bytes may come in several ranges (protobuf merges them). */
  *fields(ranges: readonly Range[], table: FieldTable): Generator<Field> {
    for (const { start, end } of ranges) {
      for (let at = start; at < end; ) {
        const field = this.field(at, end, table);
        yield field;
        at = field.end;
      }
    }
  }

  /** The payload of a small field. */
  bytes(range: Range): Uint8Array {
    const index = range.start - this.#base;
    const length = range.end - range.start;
    if (index >= 0 && index + length <= this.#window.length) return this.#window.slice(index, index + length);
    if (length <= WINDOW_BYTES / 2 && this.source.path !== undefined) {
      this.#fill(range.start);
      return this.#window.slice(0, length);
    }
    return this.source.read(range.start, range.end);
  }

  /** The payload of a `string` field; see `decodeUtf8` for bytes that are not UTF-8. */
  text(range: Range): string {
    const index = range.start - this.#base;
    const length = range.end - range.start;
    if (length > MAX_TEXT_BYTES) throw this.tooLarge(`A text of ${length} bytes`, range.start);
    if (index >= 0 && index + length <= this.#window.length)
      return decodeUtf8(this.#window.subarray(index, index + length));
    return decodeUtf8(this.bytes(range));
  }

  float(field: Field): number {
    const bytes = this.bytes(field);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  }

  /** Appends the int64 values of a repeated field, packed or not. @throws SO2104 beyond `limit` values */
  pushInt64s(field: Field, target: (number | bigint)[], limit: number = Number.POSITIVE_INFINITY): void {
    if (field.wire === WIRE.varint) {
      if (target.length >= limit) throw this.tooLarge(`A list of more than ${limit} values`, field.tagStart);
      target.push(field.value);
      return;
    }
    for (let at = field.start; at < field.end; at = this.#next) {
      if (target.length >= limit) throw this.tooLarge(`A list of more than ${limit} values`, field.tagStart);
      target.push(signed(this.#varint(at, field.end)));
    }
  }

  /** Appends the float values of a repeated field, packed or not. @throws SO2104 beyond `limit` values */
  pushFloats(field: Field, target: number[], limit: number = Number.POSITIVE_INFINITY): void {
    if (target.length + (field.end - field.start) / 4 > limit) {
      throw this.tooLarge(`A list of more than ${limit} values`, field.tagStart);
    }
    const bytes = this.bytes(field);
    if (bytes.byteLength % 4 !== 0) throw this.damaged(`Packed floats of ${bytes.byteLength} bytes`, field.start);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.byteLength; at += 4) target.push(view.getFloat32(at, true));
  }
}

const SAFE_NEGATIVE = 1n << 63n;

function signed(value: number | bigint): number | bigint {
  if (typeof value === 'number' || value < SAFE_NEGATIVE) return value;
  const negative = BigInt.asIntN(64, value);
  return negative >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(negative) : negative;
}
