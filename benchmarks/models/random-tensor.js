/** Weights made up chunk by chunk while a model is written, so that a big model takes no memory to make. */
import { DataType } from '../../dist/tensor/dtype.js';
import { createRandom } from '../../dist/tensor/random.js';
import { bytesOf, elementCount, Tensor } from '../../dist/tensor/tensor.js';

const CHUNK_ELEMENTS = 1024 * 1024;

/**
 * A FLOAT tensor of normally distributed numbers. The same seed, mean and deviation give the same bytes everywhere.
 * @param {readonly number[]} dims
 * @param {{ seed: number, mean?: number, deviation: number }} options
 */
export function randomTensor(dims, { seed, mean = 0, deviation }) {
  const count = elementCount(dims);
  function* chunks() {
    const random = createRandom(seed);
    const values = new Float32Array(Math.min(count, CHUNK_ELEMENTS));
    for (let at = 0; at < count; at += CHUNK_ELEMENTS) {
      const piece = values.subarray(0, Math.min(CHUNK_ELEMENTS, count - at));
      for (let i = 0; i < piece.length; i++) piece[i] = mean + deviation * random.normal();
      yield bytesOf(piece);
    }
  }
  function read() {
    const bytes = new Uint8Array(4 * count);
    let at = 0;
    for (const piece of chunks()) {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
    return bytes;
  }
  return Tensor.of(DataType.FLOAT, dims, { byteLength: 4 * count, read, chunks });
}
