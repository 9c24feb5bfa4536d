/** Quantized numbers as the bytes of an ONNX tensor. */
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { encodeSmallFloats } from '../tensor/small-float.js';
import { bytesOf } from '../tensor/tensor.js';
import { QUANTIZED_TYPES, type QuantizationScheme, quantizedTypeName } from './scheme.js';

/**
 * The raw data of numbers that fit the type, clipped by whoever made them: little-endian, and numbers of 4 and 2 bits packed into bytes, the
 * first in the low bits (ONNX "Int4 data types"). Small floats are given as real numbers.
 */
export function storedNumbers(numbers: ArrayLike<number>, scheme: Pick<QuantizationScheme, 'storage'>): Uint8Array {
  const { bits } = QUANTIZED_TYPES[quantizedTypeName(scheme)];
  if (bits < 8) return packed(numbers, bits);
  return wholeBytes(numbers, scheme.storage);
}

function wholeBytes(numbers: ArrayLike<number>, storage: DataTypeCode): Uint8Array {
  if (storage === DataType.UINT8) return Uint8Array.from(numbers);
  if (storage === DataType.INT8) return bytesOf(Int8Array.from(numbers));
  if (storage === DataType.UINT16) return bytesOf(Uint16Array.from(numbers));
  if (storage === DataType.INT16) return bytesOf(Int16Array.from(numbers));
  if (storage === DataType.INT32) return bytesOf(Int32Array.from(numbers));
  const codes = new Uint8Array(numbers.length);
  encodeSmallFloats(storage, Float32Array.from(numbers), codes, true);
  return codes;
}

function packed(numbers: ArrayLike<number>, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const bytes = new Uint8Array(Math.ceil(numbers.length / perByte));
  for (let i = 0; i < numbers.length; i++) {
    const at = Math.floor(i / perByte);
    bytes[at] = (bytes[at] as number) | (((numbers[i] as number) & mask) << ((i % perByte) * bits));
  }
  return bytes;
}
