/** Tensors of the Open Inference Protocol (KServe "Predict Protocol - Version 2"): types, and elements as bytes. */
import { decodeUtf8 } from '../codec/utf8.js';
import { ServeOptError } from '../errors.js';
import type { HostData, HostTensor } from '../samples/types.js';
import { DataType, type DataTypeCode, dataTypeName, rawByteLength } from '../tensor/dtype.js';
import { bytesOf, elementCount, elementsView } from '../tensor/tensor.js';
import { MAX_STRINGS } from './limits.js';
import { malformed, serverText } from './server-error.js';

const TYPES: readonly (readonly [string, DataTypeCode])[] = [
  ['BOOL', DataType.BOOL],
  ['UINT8', DataType.UINT8],
  ['UINT16', DataType.UINT16],
  ['UINT32', DataType.UINT32],
  ['UINT64', DataType.UINT64],
  ['INT8', DataType.INT8],
  ['INT16', DataType.INT16],
  ['INT32', DataType.INT32],
  ['INT64', DataType.INT64],
  ['FP16', DataType.FLOAT16],
  ['FP32', DataType.FLOAT],
  ['FP64', DataType.DOUBLE],
  ['BF16', DataType.BFLOAT16],
  ['BYTES', DataType.STRING],
];
const byName = new Map(TYPES);
const byCode = new Map(TYPES.map(([name, code]) => [code, name]));

/** The protocol's name of a type. @throws SO4002 for a type that it does not have */
export function v2TypeName(code: DataTypeCode, input: string): string {
  const name = byCode.get(code);
  if (name !== undefined) return name;
  throw new ServeOptError('SO4002', `The protocol has no type for the input "${input}" (${dataTypeName(code)})`);
}

export function v2Type(name: string): DataTypeCode | undefined {
  return byName.get(name);
}

/** Elements as the protocol's binary form has them: little-endian; BYTES each after its length in four bytes. */
export function tensorToBytes(tensor: HostTensor): Uint8Array {
  if (!isTexts(tensor.data)) return bytesOf(tensor.data);
  // Lengths first: a list of millions of encoded texts would take a hundred times their bytes.
  const target = Buffer.alloc(tensor.data.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of tensor.data) {
    const length = target.write(text, at + 4);
    target.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return target;
}

/** The other way. @throws SO5103 when the bytes do not fit the shape */
export function tensorFromBytes(
  name: string,
  typeName: string,
  dims: readonly number[],
  bytes: Uint8Array,
): HostTensor {
  const dataType = outputType(name, typeName);
  const count = checkedCount(name, dims);
  if (dataType === DataType.STRING) return { dataType, dims, data: textsFromBytes(name, count, bytes) };
  const needed = rawByteLength(dataType, count) ?? 0;
  const data = elementsView(dataType, bytes);
  if (needed !== bytes.byteLength || data === undefined) {
    throw malformed(`The output "${serverText(name)}" has ${bytes.byteLength} bytes, but its shape needs ${needed}`);
  }
  return { dataType, dims, data };
}

function textsFromBytes(name: string, count: number, bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  if (count > MAX_STRINGS)
    throw malformed(`The output "${serverText(name)}" has ${count} strings`, `at most ${MAX_STRINGS} are read`);
  while (texts.length < count && at + 4 <= bytes.byteLength) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.byteLength) break;
    texts.push(decodeUtf8(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  if (at === bytes.byteLength && texts.length === count) return texts;
  throw malformed(`The output "${serverText(name)}" does not hold ${count} strings`);
}

/** @throws SO5103 for a type that the protocol does not have */
export function outputType(name: string, typeName: string): DataTypeCode {
  const dataType = v2Type(typeName);
  if (dataType !== undefined) return dataType;
  throw malformed(`The output "${serverText(name)}" has the unknown type "${serverText(typeName)}"`);
}

/** Elements of an output's shape. @throws SO5103 for a shape that is none */
export function checkedCount(name: string, dims: readonly number[]): number {
  const count = elementCount(dims);
  if (dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) && Number.isSafeInteger(count)) return count;
  throw malformed(`The output "${serverText(name)}" has the invalid shape [${dims.slice(0, 16).join(',')}]`);
}

export function isTexts(data: HostData): data is readonly string[] {
  return Array.isArray(data);
}
