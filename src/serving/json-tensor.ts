/** Tensors as JSON numbers, strings and lists. */

import { JsonRefusal, parseBoundedJson } from '../codec/bounded-json.js';
import { encodeUtf8 } from '../codec/utf8.js';
import { ServeOptError } from '../errors.js';
import { isJsonObject } from '../json-object.js';
import type { Feeds, HostData, HostTensor } from '../samples/types.js';
import { DataType, type DataTypeCode, dataTypeName } from '../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../tensor/float16.js';
import { elementCount } from '../tensor/tensor.js';
import { JSON_BYTES } from './limits.js';
import type { Pace } from './pace.js';
import { malformed, serverText } from './server-error.js';
import { isTexts } from './v2-tensor.js';

/** Lists nested deeper than any tensor are refused before they are walked. */
const MAX_DEPTH = 64;

/** Characters of a piece of JSON. */
const PIECE_CHARACTERS = 1 << 16;

/**
 * What gives element number `index` as JSON. 64-bit integers keep all digits. The function throws SO4002 for NaN and
 * infinities: JSON has none. @throws SO4002 for a type without a form in JSON
 */
function elementText(name: string, { data, dataType }: HostTensor): (index: number) => string {
  if (isTexts(data)) return (index) => JSON.stringify(data[index]);
  if (dataType === DataType.BOOL) return (index) => (data[index] === 0 ? 'false' : 'true');
  if (dataType === DataType.BFLOAT16) throw notInJson(name, dataType);
  const numbers = dataType === DataType.FLOAT16 ? halves(data as Uint16Array) : data;
  return (index) => {
    const value = numbers[index] as number | bigint;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new ServeOptError('SO4002', `The input "${name}" holds ${value}, which JSON cannot represent`, {
        hint: 'use --protocol v2-http or v2-grpc, which send bytes',
      });
    }
    // Nine digits give back every float32.
    return dataType === DataType.FLOAT ? String(Number((value as number).toPrecision(9))) : String(value);
  };
}

/**
 * A tensor as nested lists of JSON, in pieces of some 64 KiB; a scalar as the bare element. `from` and `dims` choose a part
 * of it; for a flat list give just its length. @throws SO4002
 */
export function* jsonPieces(
  name: string,
  tensor: HostTensor,
  dims: readonly number[] = tensor.dims,
  from = 0,
): Generator<string, void> {
  const count = elementCount(dims);
  if (count === 0) {
    yield emptyLists(dims);
    return;
  }
  const textOf = elementText(name, tensor);
  // How many elements stand in a list of each axis, the innermost first.
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis))).reverse();
  let piece = '';
  for (let index = 0; index < count; index++) {
    if (index > 0) piece += ',';
    for (const stride of strides) {
      if (index % stride !== 0) break;
      piece += '[';
    }
    piece += textOf(from + index);
    for (const stride of strides) {
      if ((index + 1) % stride !== 0) break;
      piece += ']';
    }
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** Nested lists of a shape that holds no element. */
function emptyLists(dims: readonly number[]): string {
  const [first = 0, ...rest] = dims;
  return `[${Array.from({ length: first }, () => emptyLists(rest)).join(',')}]`;
}

/** Pieces of text as UTF-8 bytes. `pace` lets other things happen meanwhile. */
export async function encodePieces(pieces: Iterable<string>, pace: Pace | undefined): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) {
    parts.push(encodeUtf8(piece));
    const rest = pace?.rest();
    if (rest) await rest;
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

/** A JSON object of tensors by name, as nested lists. */
export function* jsonFields(feeds: Feeds): Generator<string, void> {
  let separator = '{';
  for (const [name, tensor] of feeds) {
    yield `${separator}${JSON.stringify(name)}:`;
    yield* jsonPieces(name, tensor);
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

function halves(bits: Uint16Array): Float32Array {
  const target = new Float32Array(bits.length);
  float16ToFloat32(bits, target);
  return target;
}

/** SO4002: a type without a JSON form. */
export function notInJson(name: string, dataType: DataTypeCode): ServeOptError {
  return new ServeOptError(
    'SO4002',
    `The input "${name}" of type ${dataTypeName(dataType)} cannot be represented in JSON`,
    {
      hint: 'use --protocol v2-http or v2-grpc, which send bytes',
    },
  );
}

/** A flat or nested list of JSON as elements of a type. @throws SO5103 for what is no such list */
export function elementsFromJson(name: string, dataType: DataTypeCode, value: unknown, count: number): HostData {
  const flat: unknown[] = [];
  flatten(name, value, flat, 0);
  if (flat.length !== count) {
    throw malformed(`The output "${serverText(name)}" has ${flat.length} elements, but its shape needs ${count}`);
  }
  if (dataType === DataType.STRING) {
    return flat.map((item) => {
      if (typeof item !== 'string') throw wrongElement(name, dataType, item);
      return item;
    });
  }
  const numbers = (target: Exclude<HostData, readonly string[] | BigInt64Array | BigUint64Array>): HostData => {
    for (let i = 0; i < count; i++) {
      const item = flat[i];
      // null: what some servers make of NaN.
      if (typeof item !== 'number' && typeof item !== 'boolean' && item !== null)
        throw wrongElement(name, dataType, item);
      target[i] = item === null ? Number.NaN : Number(item);
    }
    return target;
  };
  const integers = (target: BigInt64Array | BigUint64Array): HostData => {
    for (let i = 0; i < count; i++) {
      const item = flat[i];
      if (typeof item !== 'number' || !Number.isInteger(item)) throw wrongElement(name, dataType, item);
      target[i] = BigInt(item);
    }
    return target;
  };
  switch (dataType) {
    case DataType.FLOAT:
      return numbers(new Float32Array(count));
    case DataType.DOUBLE:
      return numbers(new Float64Array(count));
    case DataType.FLOAT16: {
      const bits = new Uint16Array(count);
      float32ToFloat16(numbers(new Float32Array(count)) as Float32Array, bits);
      return bits;
    }
    case DataType.INT64:
      return integers(new BigInt64Array(count));
    case DataType.UINT64:
      return integers(new BigUint64Array(count));
    case DataType.INT32:
      return numbers(new Int32Array(count));
    case DataType.UINT32:
      return numbers(new Uint32Array(count));
    case DataType.INT16:
      return numbers(new Int16Array(count));
    case DataType.UINT16:
      return numbers(new Uint16Array(count));
    case DataType.INT8:
      return numbers(new Int8Array(count));
    case DataType.UINT8:
    case DataType.BOOL:
      return numbers(new Uint8Array(count));
    default:
      throw malformed(`The output "${serverText(name)}" of type ${dataTypeName(dataType)} cannot come in JSON`);
  }
}

function wrongElement(name: string, dataType: DataTypeCode, item: unknown): Error {
  const what =
    typeof item === 'object' && item !== null ? 'a list or an object' : serverText(String(item)).slice(0, 60);
  return malformed(`The output "${serverText(name)}" of type ${dataTypeName(dataType)} holds ${what}`);
}

function flatten(name: string, value: unknown, target: unknown[], depth: number): void {
  if (!Array.isArray(value)) {
    target.push(value);
    return;
  }
  if (depth > MAX_DEPTH) throw malformed(`The output "${serverText(name)}" is nested too deeply`);
  for (const item of value) flatten(name, item, target, depth + 1);
}

/** The shape of nested lists, from the first element of each. */
export function nestedShape(value: unknown): number[] {
  const dims: number[] = [];
  for (let level = value; Array.isArray(level) && dims.length < MAX_DEPTH; level = level[0]) dims.push(level.length);
  return dims;
}

/** A response's bytes as JSON, within `JSON_LIMITS`. @throws SO5103 */
export function parseJson(body: Uint8Array, what: string): unknown {
  if (body.byteLength > JSON_BYTES) throw malformed(`${what} is larger than ${JSON_BYTES} bytes of JSON`);
  try {
    return parseBoundedJson(body);
  } catch (cause) {
    if (!(cause instanceof JsonRefusal)) throw cause;
    throw malformed(`${what} is not JSON that can be used`, serverText(cause.message));
  }
}

/** A JSON object as a map, since its keys are a stranger's; undefined for anything else. */
export function jsonObject(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return isJsonObject(value) ? new Map(Object.entries(value)) : undefined;
}
