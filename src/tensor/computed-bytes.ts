import type { TensorBytes } from './tensor.js';

/** Bytes that are computed each time they are read: `chunks` gives them in order, `byteLength` in all. */
export function computedBytes(byteLength: number, chunks: () => Iterable<Uint8Array>): TensorBytes {
  return {
    byteLength,
    chunks,
    read() {
      const all = new Uint8Array(byteLength);
      let at = 0;
      for (const chunk of chunks()) {
        all.set(chunk, at);
        at += chunk.byteLength;
      }
      return all;
    },
  };
}
