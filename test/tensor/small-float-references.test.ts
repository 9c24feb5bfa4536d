/** Roundings against ml_dtypes (`scripts/make-small-float-references.py`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { float32ToBfloat16 } from '../../src/tensor/bfloat16.js';
import { DataType } from '../../src/tensor/dtype.js';
import { encodeSmallFloats, smallFloatValues } from '../../src/tensor/small-float.js';

interface References {
  readonly float32: readonly number[];
  readonly bfloat16: readonly number[];
  readonly float8e4m3fn: readonly number[];
}

const references = JSON.parse(
  readFileSync(join(import.meta.dirname, 'small-float-references.json'), 'utf8'),
) as References;
const values = new Float32Array(Uint32Array.from(references.float32).buffer);
const TYPE = DataType.FLOAT8E4M3FN;

function encode(saturate: boolean): Uint8Array {
  const codes = new Uint8Array(values.length);
  encodeSmallFloats(TYPE, values, codes, saturate);
  return codes;
}

describe('roundings of ml_dtypes', () => {
  it('to bfloat16 are ours, NaN payloads aside', () => {
    const bits = new Uint16Array(values.length);
    float32ToBfloat16(values, bits);
    const isNan = (code: number): boolean => (code & 0x7fff) > 0x7f80;
    for (const [at, code] of references.bfloat16.entries()) {
      if (isNan(code)) expect(isNan(bits[at] as number), String(values[at])).toBe(true);
      else expect(bits[at], String(values[at])).toBe(code);
    }
  });

  it('to float8e4m3fn are ours where nothing saturates', () => {
    const codes = encode(false);
    for (const [at, code] of references.float8e4m3fn.entries()) {
      // NaN has two codes, one of each sign.
      const ours = codes[at] as number;
      if ((code & 0x7f) === 0x7f) expect(ours & 0x7f, String(values[at])).toBe(0x7f);
      else expect(ours, String(values[at])).toBe(code);
    }
  });

  it('saturate at 448, as QuantizeLinear does, and nothing else changes', () => {
    const numbers = smallFloatValues(TYPE) as Float64Array;
    const codes = encode(true);
    let beyond = 0;
    for (const [at, code] of references.float8e4m3fn.entries()) {
      const value = values[at] as number;
      const ours = codes[at] as number;
      if (Number.isNaN(value)) expect(ours & 0x7f).toBe(0x7f);
      else if ((code & 0x7f) === 0x7f) {
        beyond++;
        expect(numbers[ours], String(value)).toBe(Math.sign(value) * 448);
      } else expect(ours, String(value)).toBe(code);
    }
    expect(beyond).toBeGreaterThan(10);
  });
});
