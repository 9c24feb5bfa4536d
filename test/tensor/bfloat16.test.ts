import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BFLOAT16_MAX,
  bfloat16Bytes,
  bfloat16ToFloat32,
  float32ToBfloat16,
  fromBfloat16,
  toBfloat16,
} from '../../src/tensor/bfloat16.js';
import { newConversionStatistics } from '../../src/tensor/conversion.js';
import { bytesOf, memoryBytes } from '../../src/tensor/tensor.js';

describe('bfloat16', () => {
  it('gives every value back bit for bit after a round trip through float32', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    const wide = new Float32Array(0x10000);
    bfloat16ToFloat32(all, wide);
    const back = new Uint16Array(0x10000);
    float32ToBfloat16(wide, back);
    expect(back).toEqual(all);
  });

  it('rounds to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bits = toBfloat16(value);
        const rounded = fromBfloat16(bits);
        if (!Number.isFinite(rounded)) return Math.abs(value) > BFLOAT16_MAX;
        const error = Math.abs(rounded - value);
        for (const other of [bits - 1, bits + 1]) {
          if ((other & 0x7fff) >= 0x7f80 || (other & 0x8000) !== (bits & 0x8000)) continue;
          const otherError = Math.abs(fromBfloat16(other & 0xffff) - value);
          if (otherError < error || (otherError === error && bits % 2 === 1)) return false;
        }
        return true;
      }),
    );
  });

  it('clamps and counts on request, and keeps NaN and infinities', () => {
    const statistics = newConversionStatistics();
    const values = Uint32Array.of(0x7f7fffff, 0xff7fffff, 0x7f800000, 0x7f800001, 0x00000001);
    const target = new Uint16Array(5);
    float32ToBfloat16(values, target, { clamp: true, keepNonZero: true, statistics });
    expect([...target]).toEqual([0x7f7f, 0xff7f, 0x7f80, 0x7fc0, 1]);
    expect(statistics).toEqual({ elements: 5, overflowed: 2, underflowed: 1 });
  });

  it('converts bytes lazily', () => {
    const bytes = bfloat16Bytes(memoryBytes(bytesOf(Float32Array.of(1, -2, 0.5))));
    expect([...bytes.read()]).toEqual([0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f]);
  });
});
