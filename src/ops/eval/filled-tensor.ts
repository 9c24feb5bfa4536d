import { type DataTypeCode, rawByteLength } from '../../tensor/dtype.js';
import { CHUNK_BYTES, elementCount, Tensor, type TensorBytes, uninitializedBytes } from '../../tensor/tensor.js';

/** Writes the bytes of elements `[from, from + count)` to the start of `target`. */
export type Fill = (target: Uint8Array, from: number, count: number) => void;

/** Tensors of this many bytes and more are computed when they are read, and not kept. */
const LAZY_BYTES = 1024 * 1024;

/**
 * A tensor whose elements `open()` computes, in any order and in parts: at once when it is small, else piece by piece
 * while it is read, so that a large result costs no memory until it is written. `open` is called once for each reading and loads
 * what it needs; it must not fail. The data type is one of whole bytes.
 * @param rowElements Where it is cheap to start and end.
 */
export function filledTensor(
  dataType: DataTypeCode,
  dims: readonly number[],
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
  if (byteLength < LAZY_BYTES) return Tensor.of(dataType, dims, read());
  const lazy: TensorBytes = {
    byteLength,
    read,
    *chunks() {
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
    },
  };
  return Tensor.of(dataType, dims, lazy);
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
  if (byteLength < LAZY_BYTES) return Tensor.of(dataType, source.dims, read());
  const lazy: TensorBytes = {
    byteLength,
    read,
    *chunks() {
      let target: Uint8Array = new Uint8Array(0);
      for (const chunk of source.data.chunks()) {
        const length = chunk.byteLength * ratio;
        if (target.byteLength < length) target = uninitializedBytes(length);
        const piece = target.subarray(0, length);
        map(chunk, piece, chunk.byteLength / sourceBytes);
        yield piece;
      }
    },
  };
  return Tensor.of(dataType, source.dims, lazy);
}
