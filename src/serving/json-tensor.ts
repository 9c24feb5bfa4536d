/** Tensors as JSON numbers, strings and lists. */
import { ServeOptError } from '../errors.js';
import type { HostData, HostTensor } from '../runtime/types.js';
import { DataType, type DataTypeCode, dataTypeName } from '../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../tensor/float16.js';
import { malformed, serverText } from './server-error.js';
import { isTexts } from './v2-tensor.js';

/** Lists nested deeper than any tensor are refused before they are walked. */
const DEEPEST = 64;

/** Elements as pieces of JSON. 64-bit integers keep all digits. @throws SO4002 for NaN and infinities: JSON has none */
export function jsonElements(name: string, tensor: HostTensor): string[] {
  const { data, dataType } = tensor;
  if (isTexts(data)) return data.map((text) => JSON.stringify(text));
  if (dataType === DataType.BOOL) return Array.from(data as Uint8Array, (value) => (value === 0 ? 'false' : 'true'));
  if (dataType === DataType.BFLOAT16) throw notInJson(name, dataType);
  const numbers = dataType === DataType.FLOAT16 ? halves(data as Uint16Array) : data;
  const texts = new Array<string>(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number | bigint;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new ServeOptError('SO4002', `The input "${name}" holds ${value}, which JSON has no way to write`, {
        hint: 'use --protocol v2-http or v2-grpc, which send bytes',
      });
    }
    // Nine digits give back every float32.
    texts[i] = dataType === DataType.FLOAT ? String(Number((value as number).toPrecision(9))) : String(value);
  }
  return texts;
}

function halves(bits: Uint16Array): Float32Array {
  const target = new Float32Array(bits.length);
  float16ToFloat32(bits, target);
  return target;
}

/** SO4002: a type without a JSON form. */
export function notInJson(name: string, dataType: DataTypeCode): ServeOptError {
  return new ServeOptError('SO4002', `The input "${name}" of type ${dataTypeName(dataType)} has no form in JSON`, {
    hint: 'use --protocol v2-http or v2-grpc, which send bytes',
  });
}

/** A tensor as nested lists; a scalar as the bare element. */
export function nestedJson(name: string, tensor: HostTensor): string {
  return nested(jsonElements(name, tensor), tensor.dims);
}

/** Pieces of JSON as nested lists of a shape; the bare piece where it has no dimensions. */
export function nested(elements: readonly string[], dims: readonly number[]): string {
  let at = 0;
  const level = (axis: number): string => {
    if (axis === dims.length) return elements[at++] as string;
    const parts: string[] = [];
    for (let i = 0; i < (dims[axis] as number); i++) parts.push(level(axis + 1));
    return `[${parts.join(',')}]`;
  };
  return level(0);
}

/** A flat or nested list of JSON as elements of a type. @throws SO5103 for what is no such list */
export function elementsFromJson(name: string, dataType: DataTypeCode, value: unknown, count: number): HostData {
  const flat: unknown[] = [];
  flatten(name, value, flat, 0);
  if (flat.length !== count) {
    throw malformed(`The output "${serverText(name)}" has ${flat.length} elements where its shape takes ${count}`);
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
  const what = serverText(JSON.stringify(item) ?? 'nothing').slice(0, 60);
  return malformed(`The output "${serverText(name)}" of type ${dataTypeName(dataType)} holds ${what}`);
}

function flatten(name: string, value: unknown, target: unknown[], depth: number): void {
  if (!Array.isArray(value)) {
    target.push(value);
    return;
  }
  if (depth > DEEPEST) throw malformed(`The output "${serverText(name)}" is nested too deeply`);
  for (const item of value) flatten(name, item, target, depth + 1);
}

/** The shape of nested lists, from the first element of each. */
export function nestedShape(value: unknown): number[] {
  const dims: number[] = [];
  for (let level = value; Array.isArray(level) && dims.length < DEEPEST; level = level[0]) dims.push(level.length);
  return dims;
}

/** An answer's bytes as JSON. @throws SO5103 */
export function parseJson(body: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw malformed(
      `${what} is not JSON`,
      cause instanceof SyntaxError ? serverText(cause.message) : 'it is not UTF-8',
    );
  }
}

/** A JSON object as a map, since its keys are a stranger's; undefined for anything else. */
export function jsonObject(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : undefined;
}
