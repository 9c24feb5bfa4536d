import { DataType, type DataTypeCode, rawByteLength } from '../../tensor/dtype.js';
import { CHUNK_BYTES, elementCount, Tensor, type TensorBytes, uninitializedBytes } from '../../tensor/tensor.js';

/** Writes the bytes of elements `[from, from + count)` to the start of `target`. */
export type Fill = (target: Uint8Array, from: number, count: number) => void;

/** Tensors of this many bytes and more are computed when they are read, and not kept. */
const LAZY_BYTES = 1024 * 1024;
/** How many operators may be computed for one reading: what is used twice again and again would double with each. */
const MOST_PASSES = 8;

/** Bytes that are computed when they are read. */
class ComputedBytes implements TensorBytes {
  readonly byteLength: number;
  /** Operators that one reading computes, those of sources included. */
  readonly passes: number;
  readonly #read: () => Uint8Array;
  readonly #chunks: () => Iterable<Uint8Array>;

  constructor(byteLength: number, passes: number, read: () => Uint8Array, chunks: () => Iterable<Uint8Array>) {
    this.byteLength = byteLength;
    this.passes = passes;
    this.#read = read;
    this.#chunks = chunks;
  }

  read(): Uint8Array {
    return this.#read();
  }
  chunks(): Iterable<Uint8Array> {
    return this.#chunks();
  }
}

function passesOf(tensor: Tensor): number {
  if (tensor.dataType === DataType.STRING) return 0;
  return tensor.data instanceof ComputedBytes ? tensor.data.passes : 0;
}

function computed(
  dataType: DataTypeCode,
  dims: readonly number[],
  sources: readonly Tensor[],
  read: () => Uint8Array,
  chunks: () => Iterable<Uint8Array>,
): Tensor {
  const byteLength = rawByteLength(dataType, elementCount(dims)) ?? 0;
  const passes = sources.reduce((sum, source) => sum + passesOf(source), 1);
  const isLazy = byteLength >= LAZY_BYTES && passes <= MOST_PASSES;
  return Tensor.of(dataType, dims, isLazy ? new ComputedBytes(byteLength, passes, read, chunks) : read());
}

/**
 * A tensor whose elements `open()` computes from `sources`, in any order and in parts: at once when it is small, else piece
 * by piece while it is read, so that a large result costs no memory until it is written. `open` is called once for each
 * reading and loads what it needs; it must not fail. The data type is one of whole bytes.
 * @param rowElements Where it is cheap to start and end.
 */
export function filledTensor(
  dataType: DataTypeCode,
  dims: readonly number[],
  sources: readonly Tensor[],
  open: () => Fill,
  rowElements = 1,
): Tensor {
  const count = elementCount(dims);
  const byteLength = rawByteLength(dataType, count) ?? 0;
  const elementBytes = count === 0 ? 1 : byteLength / count;
  const read = (): Uint8Array => {
    const bytes = uninitializedBytes(byteLength);
    if (count > 0) open()(bytes, 0, count);
    return bytes;
  };
  function* chunks(): Generator<Uint8Array> {
    const fill = open();
    const most = CHUNK_BYTES / elementBytes;
    const step = rowElements <= most ? most - (most % rowElements) : most;
    const target = uninitializedBytes(step * elementBytes);
    for (let from = 0; from < count; from += step) {
      const length = Math.min(step, count - from);
      const piece = target.subarray(0, length * elementBytes);
      fill(piece, from, length);
      yield piece;
    }
  }
  return computed(dataType, dims, sources, read, chunks);
}

/** Computes a run of elements from their bytes; `target` holds as many. */
export type MapElements = (source: Uint8Array, target: Uint8Array, count: number) => void;

/**
 * A tensor each of whose elements comes from one of `source`, computed while it is read: one piece of the source is in
 * memory at a time. Both data types are of whole bytes.
 */
export function mappedTensor(dataType: DataTypeCode, source: Tensor, map: MapElements): Tensor {
  const count = source.size;
  const byteLength = rawByteLength(dataType, count) ?? 0;
  const ratio = count === 0 ? 1 : byteLength / source.byteLength;
  const sourceBytes = count === 0 ? 1 : source.byteLength / count;
  const read = (): Uint8Array => {
    const bytes = uninitializedBytes(byteLength);
    if (count > 0) map(source.bytes(), bytes, count);
    return bytes;
  };
  function* chunks(): Generator<Uint8Array> {
    let target: Uint8Array = new Uint8Array(0);
    for (const chunk of source.data.chunks()) {
      const length = chunk.byteLength * ratio;
      if (target.byteLength < length) target = uninitializedBytes(length);
      const piece = target.subarray(0, length);
      map(chunk, piece, chunk.byteLength / sourceBytes);
      yield piece;
    }
  }
  return computed(dataType, source.dims, [source], read, chunks);
}
