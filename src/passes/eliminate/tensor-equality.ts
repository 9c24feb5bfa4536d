import { DataType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/** How much is read at the start, in the middle and at the end before all is read. */
const PROBE_BYTES = 256;

/**
 * A key that equal tensors share and different ones seldom do: type, shape, and a hash of three short pieces. Reads no
 * more than those where the bytes can be had by range, else the first piece of them.
 */
export function tensorKey(tensor: Tensor): string {
  const parts = tensor.dataType === DataType.STRING ? stringPieces(tensor) : probes(tensor);
  let hash = 0x811c9dc5;
  for (const part of parts)
    for (let at = 0; at < part.byteLength; at++) hash = Math.imul(hash ^ (part[at] as number), 0x01000193);
  return `${tensor.dataType}[${tensor.dims.join(',')}]${hash >>> 0}`;
}

function* stringPieces(tensor: Tensor): Generator<Uint8Array> {
  yield* tensor.stringElements().slice(0, PROBE_BYTES);
}

function* probes({ data }: Tensor): Generator<Uint8Array> {
  const { byteLength } = data;
  if (data.range && byteLength > 3 * PROBE_BYTES) {
    const middle = Math.floor(byteLength / 2);
    for (const start of [0, middle, byteLength - PROBE_BYTES]) yield data.range(start, start + PROBE_BYTES);
    return;
  }
  for (const chunk of data.chunks()) {
    yield chunk.subarray(0, 3 * PROBE_BYTES);
    return;
  }
}

/** True when two tensors have the same type, shape and bits: -0 differs from 0, and a NaN equals itself. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (a.dataType !== b.dataType || a.rank !== b.rank || a.dims.some((dim, axis) => dim !== b.dims[axis])) return false;
  if (a.dataType === DataType.STRING) {
    const others = b.stringElements();
    return a.stringElements().every((text, at) => isSameBytes(text, others[at]));
  }
  return a.data === b.data || haveSameBytes(a, b);
}

function isSameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}

/** Compares piece by piece; the pieces of two tensors need not be of one length. */
function haveSameBytes(a: Tensor, b: Tensor): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const others = b.data.chunks()[Symbol.iterator]();
  let other = new Uint8Array();
  for (let piece of a.data.chunks()) {
    while (piece.byteLength > 0) {
      if (other.byteLength === 0) {
        const next = others.next();
        if (next.done) return false;
        other = next.value as Uint8Array<ArrayBuffer>;
      }
      const length = Math.min(piece.byteLength, other.byteLength);
      if (Buffer.compare(piece.subarray(0, length), other.subarray(0, length)) !== 0) return false;
      piece = piece.subarray(length);
      other = other.subarray(length);
    }
  }
  return true;
}
