import type { TensorBytes } from '../tensor/tensor.js';
import type { Span } from './byte-source.js';
import { encodeUtf8 } from './utf8.js';
import { WIRE } from './wire-reader.js';

/** A stretch of output: bytes made here, a range of an input file, or tensor bytes computed when they are written. */
export type Part = Uint8Array | Span | TensorBytes;

/** Bytes to be written, in order, with their total size known beforehand. */
export interface Rope {
  readonly parts: readonly Part[];
  readonly sizeBytes: number;
}

export function isSpan(part: Part): part is Span {
  return 'source' in part;
}

/** Builds one protobuf message. Large payloads are referred to, not copied; neighbouring file ranges become one. */
export class MessageWriter {
  readonly #parts: Part[] = [];
  #sizeBytes = 0;
  #buffer: Uint8Array = new Uint8Array(64);
  #length = 0;

  get sizeBytes(): number {
    return this.#sizeBytes + this.#length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + count));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  #flush(): void {
    if (this.#length === 0) return;
    this.#parts.push(this.#buffer.subarray(0, this.#length));
    this.#sizeBytes += this.#length;
    this.#buffer = new Uint8Array(64);
    this.#length = 0;
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #signed(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.#varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    this.#reserve(10);
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  /** An int64, int32 or enum field. */
  int64(field: number, value: number | bigint): void {
    this.#tag(field, WIRE.varint);
    this.#signed(value);
  }

  float(field: number, value: number): void {
    this.#tag(field, WIRE.fixed32);
    this.#reserve(4);
    new DataView(this.#buffer.buffer, this.#buffer.byteOffset).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, WIRE.length);
    this.#varint(value.byteLength);
    this.#reserve(value.byteLength);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
  }

  text(field: number, value: string): void {
    this.bytes(field, encodeUtf8(value));
  }

  /** A `text` field that proto3-style writers leave out when empty. */
  textUnlessEmpty(field: number, value: string | undefined): void {
    if (value !== undefined && value !== '') this.text(field, value);
  }

  /** A length-delimited field whose payload is computed when it is written. */
  payload(field: number, value: TensorBytes): void {
    this.#tag(field, WIRE.length);
    this.#varint(value.byteLength);
    this.#append(value, value.byteLength);
  }

  message(field: number, value: MessageWriter): void {
    this.#tag(field, WIRE.length);
    this.#varint(value.sizeBytes);
    if (value.#parts.length === 0) {
      this.#reserve(value.#length);
      this.#buffer.set(value.#buffer.subarray(0, value.#length), this.#length);
      this.#length += value.#length;
      return;
    }
    const rope = value.finish();
    for (const part of rope.parts) this.#append(part, isSpan(part) ? part.end - part.start : part.byteLength);
  }

  /** A field, tag included, as it stands in a file. */
  span(span: Span): void {
    this.#append(span, span.end - span.start);
  }

  #append(part: Part, sizeBytes: number): void {
    const last = this.#parts.at(-1);
    if (
      this.#length === 0 &&
      last &&
      isSpan(last) &&
      isSpan(part) &&
      last.source === part.source &&
      last.end === part.start
    ) {
      this.#parts[this.#parts.length - 1] = { source: last.source, start: last.start, end: part.end };
    } else {
      this.#flush();
      this.#parts.push(part);
    }
    this.#sizeBytes += sizeBytes;
  }

  /** The message as a rope. The writer must not be used after. */
  finish(): Rope {
    this.#flush();
    return { parts: this.#parts, sizeBytes: this.#sizeBytes };
  }
}
