import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type QuantizationScheme,
  type QuantizedTypeName,
  quantizationParameters,
  quantizeValue,
  schemeOf,
} from '../../src/quantize/scheme.js';
import { transposedLastAxes } from '../../src/quantize/transposed.js';
import { quantizeWeights } from '../../src/quantize/weights.js';
import { DataType } from '../../src/tensor/dtype.js';
import { bytesOf, Tensor, type TensorBytes } from '../../src/tensor/tensor.js';

/** Gives its bytes in pieces of `size`, to cross channels at every place. */
function inPieces(bytes: Uint8Array, size: number): TensorBytes {
  return {
    byteLength: bytes.length,
    read: () => bytes,
    *chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    },
  };
}

/** The definition, element by element. */
function reference(
  values: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  type: QuantizedTypeName,
  symmetric: boolean,
) {
  const scheme = schemeOf(type, { symmetric });
  const inner = dims.slice((axis ?? -1) + 1).reduce((p, d) => p * d, 1);
  const channelOf = (i: number) => (axis === undefined ? 0 : Math.floor(i / inner) % (dims[axis] as number));
  const channels = axis === undefined ? 1 : (dims[axis] as number);
  const parameters = Array.from({ length: channels }, (_, c) => {
    const own = [...values].filter((_, i) => channelOf(i) === c);
    return quantizationParameters(Math.min(...own), Math.max(...own), scheme);
  });
  return [...values].map((v, i) => quantizeValue(v, parameters[channelOf(i)] ?? { scale: 1, zeroPoint: 0 }, scheme));
}

/** The numbers of a tensor of whole bytes or of 4 and 2 bits, the first in the low bits. */
function stored(tensor: Tensor | undefined, { bits, signed }: QuantizationScheme): number[] {
  const bytes = tensor?.bytes() ?? new Uint8Array(0);
  return Array.from({ length: tensor?.size ?? 0 }, (_, i) => {
    const at = Math.floor((i * bits) / 8);
    const low = (bytes[at] as number) | ((bits === 16 ? (bytes[at + 1] as number) : 0) << 8);
    const code = (low >> ((i * bits) % 8)) & (2 ** bits - 1);
    return signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
  });
}

describe('quantizeWeights', () => {
  it('equals the definition for every axis, type and cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -1, max: 3 }),
        fc.constantFrom<QuantizedTypeName>('s8', 'u8', 's16', 'u16', 's4', 'u4', 's2', 'u2'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.float({ noNaN: true, min: -100, max: 100 })),
        (dims, someAxis, type, symmetric, piece, stream) => {
          const axis = someAxis < 0 || someAxis >= dims.length ? undefined : someAxis;
          const size = dims.reduce((p, d) => p * d, 1);
          const values = Float32Array.from({ length: size }, () => stream.next().value as number);
          const tensor = Tensor.of(DataType.FLOAT, dims, inPieces(bytesOf(values), piece * 4));
          const granularity = axis === undefined ? ({ kind: 'tensor' } as const) : ({ kind: 'channel', axis } as const);
          const result = quantizeWeights(tensor, schemeOf(type, { symmetric, granularity }));
          const expected = reference(values, dims, axis, type, symmetric);
          expect(stored(result?.quantized, schemeOf(type))).toEqual(expected);
          const written: number[] = [];
          for (const chunk of result?.quantized.data.chunks() ?? []) written.push(...chunk);
          expect(Uint8Array.from(written)).toEqual(result?.quantized.bytes());
        },
      ),
    );
  });

  it('clips what an asymmetric range with zero point 0 rounds beyond 127', () => {
    const result = quantizeWeights(Tensor.float32([-255, 255]), schemeOf('s8'));
    expect(result?.zeroPoint.integers()).toEqual([0]);
    expect(result?.quantized.integers()[1]).toBe(127);
  });

  it('refuses NaN and infinities', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const symmetric of [true, false]) {
        expect(quantizeWeights(Tensor.float32([1, bad, 2]), schemeOf('s8', { symmetric }))).toBeUndefined();
      }
    }
  });

  it('reads FLOAT16, BFLOAT16 and DOUBLE', () => {
    const options = schemeOf('s8', { symmetric: true });
    const half = Tensor.of(DataType.FLOAT16, [2], bytesOf(Uint16Array.of(0x3c00, 0xbc00)));
    const brain = Tensor.of(DataType.BFLOAT16, [2], bytesOf(Uint16Array.of(0x3f80, 0xbf80)));
    const double = Tensor.of(DataType.DOUBLE, [2], bytesOf(Float64Array.of(1, -1)));
    for (const tensor of [half, brain, double]) {
      expect(quantizeWeights(tensor, options)?.quantized.integers()).toEqual([127, -127]);
    }
  });

  it('takes an empty weight', () => {
    expect(quantizeWeights(Tensor.float32([], [0, 3]), schemeOf('s8'))?.quantized.size).toBe(0);
  });
});

describe('transposedLastAxes', () => {
  it('exchanges the last two axes of every matrix, also beyond one tile', () => {
    const [batch, rows, columns] = [2, 70, 130];
    const source = Uint8Array.from({ length: batch * rows * columns }, (_, i) => (i * 31) % 251);
    const result = transposedLastAxes(Tensor.uint8(source, [batch, rows, columns]));
    expect(result.dims).toEqual([batch, columns, rows]);
    const bytes = result.bytes();
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          if (bytes[(b * columns + c) * rows + r] !== source[(b * rows + r) * columns + c])
            expect.fail(`at ${b},${r},${c}`);
        }
  });
});
