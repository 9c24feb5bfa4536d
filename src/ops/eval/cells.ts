import { DataType, type DataTypeCode, dataTypeRow } from '../../tensor/dtype.js';
import { bytesOf, Tensor, typedView } from '../../tensor/tensor.js';
import type { CellArray } from './strided-view.js';

/**
 * How the elements of a data type are held while they are moved about, bit for bit: 1, 2 or 4 bytes as one cell, 8 and
 * 16 bytes as several, types below a byte as one byte each, and strings as their number in a table.
 */
export class Cells {
  readonly dataType: DataTypeCode;
  /** Cells an element takes. */
  readonly words: number;
  readonly #bits: number;
  readonly #strings: Uint8Array[] = [];

  private constructor(dataType: DataTypeCode, bits: number) {
    this.dataType = dataType;
    this.#bits = bits;
    this.words = bits > 32 ? bits / 32 : 1;
  }

  /** Undefined for a data type whose elements cannot be told apart. */
  static of(dataType: DataTypeCode): Cells | undefined {
    const bits = dataTypeRow(dataType)?.bits;
    return bits === undefined ? undefined : new Cells(dataType, bits);
  }

  /** Whether the cells are the tensor's own bytes, so that a part of the cells is a part of the bytes. */
  get areBytes(): boolean {
    return this.#bits >= 8;
  }

  /** The elements of a tensor of this type. Never write to them. */
  load(tensor: Tensor): CellArray {
    if (this.dataType === DataType.STRING) {
      const first = this.#strings.length;
      for (const text of tensor.stringElements()) this.#strings.push(text);
      return Uint32Array.from({ length: this.#strings.length - first }, (_, at) => first + at);
    }
    const bytes = tensor.bytes();
    if (this.#bits < 8) return unpackBits(bytes, this.#bits, tensor.size);
    if (this.#bits === 8) return bytes;
    return this.#bits === 16 ? typedView(Uint16Array, bytes) : typedView(Uint32Array, bytes);
  }

  /** Room for `count` cells. */
  make(count: number): CellArray {
    if (this.#bits > 16 || this.dataType === DataType.STRING) return new Uint32Array(count);
    return this.#bits === 16 ? new Uint16Array(count) : new Uint8Array(count);
  }

  /** The tensor that the cells make. */
  tensor(dims: readonly number[], cells: CellArray): Tensor {
    if (this.dataType === DataType.STRING) {
      const table = this.#strings;
      const elements = Array.from(cells, (number) => table[number] as Uint8Array);
      return Tensor.strings(dims, () => elements);
    }
    if (this.#bits < 8) return Tensor.of(this.dataType, dims, packBits(cells, this.#bits));
    return Tensor.of(this.dataType, dims, bytesOf(cells));
  }
}

/** Elements of 4 or 2 bits, one a byte; the first is in the lowest bits. */
export function unpackBits(bytes: Uint8Array, bits: number, count: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const cells = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const byte = bytes[Math.floor(i / perByte)] as number;
    cells[i] = (byte >> ((i % perByte) * bits)) & mask;
  }
  return cells;
}

/** The inverse of `unpackBits`; unused bits of the last byte are 0. */
export function packBits(cells: ArrayLike<number>, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const bytes = new Uint8Array(Math.ceil(cells.length / perByte));
  for (let i = 0; i < cells.length; i++) {
    const at = Math.floor(i / perByte);
    bytes[at] = (bytes[at] as number) | (((cells[i] as number) & mask) << ((i % perByte) * bits));
  }
  return bytes;
}
