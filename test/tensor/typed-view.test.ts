import { describe, expect, it } from 'vitest';
import { typedView } from '../../src/tensor/tensor.js';

describe('typedView', () => {
  it('reads unaligned bytes, those of a Buffer included', () => {
    const buffer = Buffer.alloc(64);
    buffer.writeDoubleLE(1.5, 3);
    for (const bytes of [buffer.subarray(3, 11), new Uint8Array(buffer).subarray(3, 11)])
      expect(typedView(Float64Array, bytes)).toEqual(Float64Array.of(1.5));
  });

  it('is a view of aligned bytes', () => {
    const array = Float32Array.of(1, 2, 3, 4);
    expect(typedView(Float32Array, new Uint8Array(array.buffer, 4, 8)).buffer).toBe(array.buffer);
  });
});
