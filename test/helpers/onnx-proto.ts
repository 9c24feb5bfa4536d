/**
 * What `onnx-proto`, a decoder that shares no code with ours, makes of model bytes: in one form for all ways to spell
 * the same content. It knows ONNX 1.10 and skips newer fields.
 */
import { createHash } from 'node:crypto';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;

export type Plain = string | readonly Plain[] | { readonly [key: string]: Plain };

/** The normal form of a model. @throws whatever the decoder throws */
export function decodeWithOnnxProto(bytes: Uint8Array): Plain {
  return normal(onnx.ModelProto.decode(bytes)) ?? {};
}

/** Where two normal forms differ first, as a path with both sides; undefined when equal. */
export function firstDifference(a: Plain | undefined, b: Plain | undefined, path = 'model'): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || Array.isArray(a) !== Array.isArray(b)) {
    return a === b ? undefined : `${path}: ${show(a)} ≠ ${show(b)}`;
  }
  const left = new Map<string, Plain>(Object.entries(a));
  const right = new Map<string, Plain>(Object.entries(b));
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const difference = firstDifference(left.get(key), right.get(key), `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function show(value: Plain | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 200);
}

/** Scalars as text, lists and messages by field; a scalar that is its type's default counts as absent. */
function normal(value: unknown): Plain | undefined {
  if (value instanceof onnx.TensorProto) return tensor(value);
  if (value instanceof onnx.AttributeProto) return attribute(value);
  if (value instanceof onnx.TensorShapeProto.Dimension) return dimension(value);
  if (value instanceof onnx.OperatorSetIdProto) return { domain: domain(value.domain), version: String(value.version) };
  if (value instanceof onnx.GraphProto) return graph(value);
  if (value instanceof onnx.NodeProto) return fields(value, ['domain', domain(value.domain)]);
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : `bytes ${digest(value)}`;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => normal(item) ?? '');
  if (typeof value === 'number') return value === 0 && !Object.is(value, -0) ? undefined : number(value);
  if (typeof value === 'string') return value === '' ? undefined : `"${value}"`;
  if (isLong(value)) return String(value) === '0' ? undefined : String(value);
  if (typeof value === 'object' && value !== null) return fields(value);
  return value === undefined || value === null ? undefined : String(value);
}

function fields(message: object, ...overrides: readonly [string, string][]): Plain {
  const plain: [string, Plain][] = [];
  const own = new Map(overrides);
  for (const [key, value] of Object.entries(message)) {
    const item = own.get(key) ?? normal(value);
    // An empty message is not an absent one, but a type that says nothing is.
    const nothing = value instanceof onnx.TypeProto && item !== undefined && Object.keys(item).length === 0;
    if (item !== undefined && item !== '' && !nothing) plain.push([key, item]);
  }
  return Object.fromEntries(plain);
}

/** Some exporters describe an inner value twice over; once says the same. */
function graph(value: InstanceType<typeof onnx.GraphProto>): Plain {
  const plain = fields(value) as Record<string, Plain>;
  const { valueInfo } = plain;
  if (!Array.isArray(valueInfo)) return plain;
  return { ...plain, valueInfo: [...new Map(valueInfo.map((item) => [JSON.stringify(item), item])).values()] };
}

/** '' and 'ai.onnx' are one domain. */
function domain(name: string | null | undefined): string {
  return name === 'ai.onnx' ? '' : (name ?? '');
}

function number(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function isLong(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'low' in value && 'high' in value;
}

function digest(bytes: Uint8Array): string {
  return bytes.length <= 32
    ? Buffer.from(bytes).toString('hex')
    : `${bytes.length}:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A size of 0 is not an unknown size; an empty symbol is. */
function dimension(value: InstanceType<typeof onnx.TensorShapeProto.Dimension>): Plain {
  const size = Object.hasOwn(value, 'dimValue') ? { value: String(value.dimValue) } : {};
  const symbol = Object.hasOwn(value, 'dimParam') && value.dimParam ? { symbol: `"${value.dimParam}"` } : {};
  return { ...size, ...symbol };
}

const ATTRIBUTE_CODE: readonly (readonly [string, number])[] = [
  ['f', 1],
  ['i', 2],
  ['s', 3],
  ['t', 4],
  ['g', 5],
  ['floats', 6],
  ['ints', 7],
  ['strings', 8],
  ['tensors', 9],
  ['graphs', 10],
];

/** The type code may be left out where a value tells it; a list keeps its zeros. */
function attribute(value: InstanceType<typeof onnx.AttributeProto>): Plain {
  const present = ATTRIBUTE_CODE.find(([key]) => {
    const content = Object.hasOwn(value, key) ? value[key as keyof typeof value] : undefined;
    return Array.isArray(content) ? content.length > 0 : content !== undefined && content !== null;
  });
  const list = (items: readonly unknown[]): string =>
    items.map((item) => (typeof item === 'number' ? number(item) : String(item))).join(' ');
  const plain = fields(value) as Record<string, Plain>;
  plain.type = String(value.type || present?.[1] || 0);
  if (value.floats.length > 0) plain.floats = list(value.floats);
  if (value.ints.length > 0) plain.ints = list(value.ints);
  return plain;
}

/** Bytes that an entry of `int32_data` stands for, by data type code; an entry of a packed type is one byte of several elements. */
const INT32_DATA_BYTES = new Map<number, number>([
  ...[2, 3, 9, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26].map((code) => [code, 1] as const),
  ...[4, 5, 10, 16].map((code) => [code, 2] as const),
  [6, 4],
]);

/** All ways to carry the elements come down to the bytes of `raw_data`. */
function tensor(value: InstanceType<typeof onnx.TensorProto>): Plain {
  const { dims, dataType, name, docString, rawData, stringData, externalData, dataLocation, segment } = value;
  return {
    dims: dims.map(String),
    dataType: String(dataType),
    name: `"${name}"`,
    doc: `"${docString}"`,
    ...(segment ? { segment: normal(segment) ?? '' } : {}),
    ...(stringData.length > 0 ? { strings: stringData.map(digest) } : {}),
    ...(dataLocation === 1 ? { external: normal(externalData) ?? '' } : {}),
    ...(dataLocation !== 1
      ? { elements: digest(quieted(rawData.length > 0 ? rawData : typedBytes(value), dataType ?? 0)) }
      : {}),
  };
}

function typedBytes(value: InstanceType<typeof onnx.TensorProto>): Uint8Array {
  const { floatData, int32Data, int64Data, doubleData, uint64Data } = value;
  if (floatData.length > 0) return bytesOf(Float32Array.from(floatData));
  if (doubleData.length > 0) return bytesOf(Float64Array.from(doubleData));
  if (int64Data.length > 0) return bytesOf(BigInt64Array.from(int64Data, (item) => BigInt(String(item))));
  if (uint64Data.length > 0) {
    const wide = BigUint64Array.from(uint64Data, (item) => BigInt.asUintN(64, BigInt(String(item))));
    return bytesOf(value.dataType === 12 ? Uint32Array.from(wide, Number) : wide);
  }
  const size = INT32_DATA_BYTES.get(value.dataType ?? 0) ?? 4;
  const integers = Int32Array.from(int32Data);
  if (size === 1) return Uint8Array.from(integers);
  return bytesOf(size === 2 ? Uint16Array.from(integers) : integers);
}

/**
 * The same bytes with every NaN quiet. This decoder hands `float_data` over as JavaScript numbers, which loses that one bit
 * of a signalling NaN; that serve-opt keeps it is for the tests that compare bytes.
 */
function quieted(bytes: Uint8Array, dataType: number): Uint8Array {
  const wide = dataType === 11 || dataType === 15;
  if (!wide && dataType !== 1 && dataType !== 14) return bytes;
  const result = Uint8Array.from(bytes);
  const view = new DataView(result.buffer);
  for (let at = 0; at + (wide ? 8 : 4) <= result.length; at += wide ? 8 : 4) {
    const upper = at + (wide ? 4 : 0);
    const signal = Number.isNaN(wide ? view.getFloat64(at, true) : view.getFloat32(at, true));
    if (signal) view.setUint32(upper, view.getUint32(upper, true) | (wide ? 0x80000 : 0x400000), true);
  }
  return result;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
