import { bug, ServeOptError } from '../errors.js';
import { DataType, type DataTypeCode, dataTypeName, isFloat, rawByteLength } from './dtype.js';

/** Bytes of a tensor in `raw_data` form (little-endian, packed), given in pieces on demand. */
export interface TensorBytes {
  readonly byteLength: number;
  /** All bytes at once. May be a view of a larger buffer and may be unaligned; never write to it. */
  read(): Uint8Array;
  /** The same bytes in order, in pieces of bounded size; a piece is valid only until the next one is asked for. */
  chunks(): Iterable<Uint8Array>;
  /** The bytes from `start` up to `end` alone, where they can be had without the others. Never write to them. */
  range?(start: number, end: number): Uint8Array;
  /** Fills `target` with the bytes from `start` on, where that takes no copy in between. */
  readInto?(target: Uint8Array, start: number): void;
}

/**
 * How large a piece `chunks()` gives, in bytes: a multiple of 16, so that no element is split. Small enough to stay in the
 * second-level cache from reading to writing: with 4 MiB, converting or copying a model took half as long again.
 */
export const CHUNK_BYTES = 256 * 1024;

/** Bytes already in memory. */
export function memoryBytes(bytes: Uint8Array): TensorBytes {
  return {
    byteLength: bytes.byteLength,
    read: () => bytes,
    range: (start, end) => bytes.subarray(start, end),
    *chunks() {
      for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    },
  };
}

/** Numeric typed arrays that tensors are viewed as. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

type TypedArrayConstructor<T extends TypedArray> = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

/** A typed view of bytes; copies only when the offset is not aligned for the element type. */
export function typedView<T extends TypedArray>(type: TypedArrayConstructor<T>, bytes: Uint8Array): T {
  const size = type.BYTES_PER_ELEMENT;
  // Not `bytes.slice()`: of a Buffer that is a view of the same unaligned bytes.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / size));
}

/** The array that holds the elements of a type: FLOAT16 and BFLOAT16 as their bits, BOOL as bytes. */
const ELEMENT_ARRAYS: ReadonlyMap<DataTypeCode, TypedArrayConstructor<TypedArray>> = new Map<
  DataTypeCode,
  TypedArrayConstructor<TypedArray>
>([
  [DataType.FLOAT, Float32Array],
  [DataType.DOUBLE, Float64Array],
  [DataType.FLOAT16, Uint16Array],
  [DataType.BFLOAT16, Uint16Array],
  [DataType.BOOL, Uint8Array],
  [DataType.UINT8, Uint8Array],
  [DataType.INT8, Int8Array],
  [DataType.UINT16, Uint16Array],
  [DataType.INT16, Int16Array],
  [DataType.UINT32, Uint32Array],
  [DataType.INT32, Int32Array],
  [DataType.UINT64, BigUint64Array],
  [DataType.INT64, BigInt64Array],
]);

/** Elements over bytes in the order of ONNX's `raw_data`, see `typedView`; undefined for types without an array of their own. */
export function elementsView(dataType: DataTypeCode, bytes: Uint8Array): TypedArray | undefined {
  const array = ELEMENT_ARRAYS.get(dataType);
  return array && typedView(array, bytes);
}

/** Number of elements of a shape; 1 for a scalar (`dims` empty). */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}

/**
 * An immutable tensor whose bytes stay where they are (file, memory, a computation) until something touches them.
 * `dims` is empty for a scalar. STRING tensors hold their elements as bytes, since ONNX strings need not be UTF-8.
 */
export class Tensor {
  readonly dataType: DataTypeCode;
  readonly dims: readonly number[];
  readonly #bytes: TensorBytes | undefined;
  readonly #strings: (() => readonly Uint8Array[]) | undefined;
  /** Where the codec read this tensor from; lets it be written back as the bytes it came with. Only the codec looks inside. */
  readonly origin: object | undefined;

  private constructor(
    dataType: DataTypeCode,
    dims: readonly number[],
    bytes: TensorBytes | undefined,
    strings: (() => readonly Uint8Array[]) | undefined,
    origin: object | undefined,
  ) {
    this.dataType = dataType;
    this.dims = dims;
    this.#bytes = bytes;
    this.#strings = strings;
    this.origin = origin;
  }

  /** A numeric tensor over `bytes`. @throws SO2101 when the byte count does not fit `dims`. */
  static of(dataType: DataTypeCode, dims: readonly number[], bytes: TensorBytes | Uint8Array, origin?: object): Tensor {
    const data = bytes instanceof Uint8Array ? memoryBytes(bytes) : bytes;
    const expected = rawByteLength(dataType, elementCount(dims));
    if (expected !== undefined && expected !== data.byteLength) {
      throw new ServeOptError(
        'SO2101',
        `Tensor of ${dataTypeName(dataType)}[${dims.join(',')}] needs ${expected} bytes but has ${data.byteLength}`,
      );
    }
    return new Tensor(dataType, dims, data, undefined, origin);
  }

  /** A STRING tensor; `elements` is called when first asked for. */
  static strings(dims: readonly number[], elements: () => readonly Uint8Array[], origin?: object): Tensor {
    return new Tensor(DataType.STRING, dims, undefined, elements, origin);
  }

  static float32(values: Float32Array | readonly number[], dims: readonly number[] = [values.length]): Tensor {
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    return Tensor.of(DataType.FLOAT, dims, bytesOf(data));
  }

  static int32(values: Int32Array | readonly number[], dims: readonly number[] = [values.length]): Tensor {
    const data = values instanceof Int32Array ? values : Int32Array.from(values);
    return Tensor.of(DataType.INT32, dims, bytesOf(data));
  }

  static int64(values: readonly (number | bigint)[], dims: readonly number[] = [values.length]): Tensor {
    const data = BigInt64Array.from(values, (v) => BigInt(v));
    return Tensor.of(DataType.INT64, dims, bytesOf(data));
  }

  static int8(values: Int8Array, dims: readonly number[] = [values.length]): Tensor {
    return Tensor.of(DataType.INT8, dims, bytesOf(values));
  }

  static uint8(values: Uint8Array, dims: readonly number[] = [values.length]): Tensor {
    return Tensor.of(DataType.UINT8, dims, values);
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.dims);
  }

  get rank(): number {
    return this.dims.length;
  }

  /** Bytes in `raw_data` form; for STRING the sum of the element lengths. */
  get byteLength(): number {
    if (this.#bytes) return this.#bytes.byteLength;
    let total = 0;
    for (const s of this.stringElements()) total += s.byteLength;
    return total;
  }

  /** The bytes of a numeric tensor, lazily. */
  get data(): TensorBytes {
    if (!this.#bytes) throw bug('a STRING tensor has no raw bytes');
    return this.#bytes;
  }

  /** All bytes in `raw_data` form; may be an unaligned view (see `typedView`). */
  bytes(): Uint8Array {
    return this.data.read();
  }

  stringElements(): readonly Uint8Array[] {
    if (!this.#strings) throw bug(`a ${dataTypeName(this.dataType)} tensor has no string elements`);
    return this.#strings();
  }

  /** FLOAT elements as a view. */
  float32Array(): Float32Array {
    if (this.dataType !== DataType.FLOAT) throw bug(`expected a float tensor, got ${dataTypeName(this.dataType)}`);
    return typedView(Float32Array, this.bytes());
  }

  /** Elements of any integer or bool type up to 64 bits as numbers, exact up to 2^53: meant for small tensors (axes, shapes). */
  integers(): number[] {
    const view = isFloat(this.dataType) ? undefined : elementsView(this.dataType, this.bytes());
    if (!view) throw bug(`expected an integer tensor, got ${dataTypeName(this.dataType)}`);
    const values = new Array<number>(view.length);
    for (let i = 0; i < view.length; i++) values[i] = Number(view[i]);
    return values;
  }

  /** The same bytes under another shape of equal size. */
  reshaped(dims: readonly number[]): Tensor {
    return this.#bytes
      ? Tensor.of(this.dataType, dims, this.#bytes)
      : new Tensor(this.dataType, dims, undefined, this.#strings, undefined);
  }
}

/**
 * Memory that is about to be overwritten: not zeroed, not shared with Node's pool. A Uint8Array and never a Buffer, whose
 * `slice` gives a view where that of a Uint8Array copies.
 */
export function uninitializedBytes(byteLength: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bytes under a typed array, without a copy. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
