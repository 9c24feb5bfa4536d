/** The protobuf messages of the Open Inference Protocol's gRPC service, by field numbers of its published definition. */
import { memorySource } from '../codec/byte-source.js';
import type { FieldTable } from '../codec/fields.js';
import { MessageWriter } from '../codec/message-writer.js';
import { type Field, WIRE, WireReader } from '../codec/wire-reader.js';
import type { Feeds, HostData, HostTensor } from '../samples/types.js';
import { DataType } from '../tensor/dtype.js';
import { elementsView } from '../tensor/tensor.js';
import { MAX_DIMENSIONS, MAX_LISTED_ELEMENTS, MAX_MODELS, MAX_STRINGS, MAX_TENSORS } from './limits.js';
import { malformed, serverText } from './server-error.js';
import type { DescribedTensor } from './v2-metadata.js';
import { checkedCount, outputType, tensorFromBytes, tensorToBytes, v2TypeName } from './v2-tensor.js';

const VARINTS = [WIRE.varint, WIRE.length];

function table(message: string, rows: Record<number, readonly [string, readonly number[]]>): FieldTable {
  const entries = Object.entries(rows).map(
    ([key, [name, wires]]) => [Number(key), { number: Number(key), name, wires }] as const,
  );
  return { message, rows: new Map(entries) };
}

const BYTES = [WIRE.length];
const READY = table('ModelReadyResponse', { 1: ['ready', [WIRE.varint]] });
const SERVER = table('ServerMetadataResponse', { 1: ['name', BYTES], 2: ['version', BYTES], 3: ['extensions', BYTES] });
const METADATA = table('ModelMetadataResponse', {
  1: ['name', BYTES],
  2: ['versions', BYTES],
  3: ['platform', BYTES],
  4: ['inputs', BYTES],
  5: ['outputs', BYTES],
});
const TENSOR = table('TensorMetadata', { 1: ['name', BYTES], 2: ['datatype', BYTES], 3: ['shape', VARINTS] });
const INDEX = table('RepositoryIndexResponse', { 1: ['models', BYTES] });
const INDEX_MODEL = table('ModelIndex', { 1: ['name', BYTES], 2: ['version', BYTES], 3: ['state', BYTES] });
const INFER = table('ModelInferResponse', {
  1: ['model_name', BYTES],
  2: ['model_version', BYTES],
  3: ['id', BYTES],
  5: ['outputs', BYTES],
  6: ['raw_output_contents', BYTES],
});
const OUTPUT = table('InferOutputTensor', {
  1: ['name', BYTES],
  2: ['datatype', BYTES],
  3: ['shape', VARINTS],
  5: ['contents', BYTES],
});
const CONTENTS = table('InferTensorContents', {
  1: ['bool_contents', VARINTS],
  2: ['int_contents', VARINTS],
  3: ['int64_contents', VARINTS],
  4: ['uint_contents', VARINTS],
  5: ['uint64_contents', VARINTS],
  6: ['fp32_contents', [WIRE.fixed32, WIRE.length]],
  7: ['fp64_contents', [WIRE.fixed64, WIRE.length]],
  8: ['bytes_contents', BYTES],
});

/** Walks the fields of a message. @throws SO5103 for damaged bytes */
function walk(bytes: Uint8Array, message: FieldTable, use: (field: Field, reader: WireReader) => void): void {
  const reader = new WireReader(memorySource(bytes, message.message));
  try {
    for (const field of reader.fields([{ start: 0, end: bytes.byteLength }], message)) use(field, reader);
  } catch (cause) {
    if (!(cause instanceof Error) || (cause as { code?: string }).code === 'SO5103') throw cause;
    throw malformed(`The response is not a valid ${message.message}`, serverText(cause.message));
  }
}

/** The bytes of a whole message in one piece. */
function bytesOfMessage(writer: MessageWriter): Uint8Array {
  return Buffer.concat(writer.finish().parts as Uint8Array[]);
}

/** ModelReadyRequest and ModelMetadataRequest are alike: name 1, version 2. */
export function modelRequest(name: string, version: string | undefined): Uint8Array {
  const writer = new MessageWriter();
  writer.text(1, name);
  writer.textUnlessEmpty(2, version);
  return bytesOfMessage(writer);
}

/** ServerReady, ModelReady. */
export function readReady(bytes: Uint8Array): boolean {
  let ready = false;
  walk(bytes, READY, (field) => {
    if (field.number === 1) ready = field.value !== 0;
  });
  return ready;
}

/** Name and version of the server. */
export function readServer(bytes: Uint8Array): string {
  const parts: string[] = [];
  walk(bytes, SERVER, (field, reader) => {
    if (field.number <= 2) parts.push(reader.text(field));
  });
  return parts.join(' ');
}

/** Names of the models in a repository index, each once. */
export function readIndex(bytes: Uint8Array): string[] {
  const names = new Set<string>();
  walk(bytes, INDEX, (field, reader) => {
    if (field.number !== 1 || names.size >= MAX_MODELS) return;
    walk(reader.bytes(field), INDEX_MODEL, (inner, innerReader) => {
      if (inner.number === 1) names.add(innerReader.text(inner));
    });
  });
  return [...names];
}

export function readMetadata(bytes: Uint8Array): {
  readonly inputs: readonly DescribedTensor[];
  readonly outputs: readonly DescribedTensor[];
} {
  const inputs: DescribedTensor[] = [];
  const outputs: DescribedTensor[] = [];
  walk(bytes, METADATA, (field, reader) => {
    if (field.number !== 4 && field.number !== 5) return;
    // One more than is accepted, so that the check of the interface reports it.
    if (inputs.length > MAX_TENSORS || outputs.length > MAX_TENSORS) return;
    const { name, typeName, dims } = readTensor(reader.bytes(field), TENSOR);
    (field.number === 4 ? inputs : outputs).push({ name, typeName, shape: dims });
  });
  return { inputs, outputs };
}

interface ReadTensor {
  readonly name: string;
  readonly typeName: string;
  readonly dims: readonly number[];
  readonly contents: Uint8Array | undefined;
}

/** Name, datatype and shape have the same numbers in both messages. */
function readTensor(bytes: Uint8Array, message: FieldTable): ReadTensor {
  let name = '';
  let typeName = '';
  let contents: Uint8Array | undefined;
  const dims: (number | bigint)[] = [];
  walk(bytes, message, (field, reader) => {
    if (field.number === 1) name = reader.text(field);
    else if (field.number === 2) typeName = reader.text(field);
    else if (field.number === 3) reader.pushInt64s(field, dims, MAX_DIMENSIONS);
    else if (field.number === 5) contents = reader.bytes(field);
  });
  return { name, typeName, dims: dims.map(Number), contents };
}

/** ModelInferRequest with all tensors as `raw_input_contents`. @throws SO4002 for a type the protocol does not have */
export function inferRequest(model: string, version: string | undefined, feeds: Feeds): Uint8Array {
  const writer = new MessageWriter();
  writer.text(1, model);
  writer.textUnlessEmpty(2, version);
  for (const [name, tensor] of feeds) {
    const input = new MessageWriter();
    input.text(1, name);
    input.text(2, v2TypeName(tensor.dataType, name));
    for (const dim of tensor.dims) input.int64(3, dim);
    writer.message(5, input);
  }
  for (const tensor of feeds.values()) writer.bytes(7, tensorToBytes(tensor));
  return bytesOfMessage(writer);
}

/** Outputs of a ModelInferResponse, raw or typed. @throws SO5103 */
export function readInferResponse(bytes: Uint8Array): Map<string, HostTensor> {
  const outputs: ReadTensor[] = [];
  const raw: Uint8Array[] = [];
  walk(bytes, INFER, (field, reader) => {
    if (field.number === 5) outputs.push(readTensor(reader.bytes(field), OUTPUT));
    else if (field.number === 6) raw.push(reader.bytes(field));
    if (outputs.length > MAX_TENSORS || raw.length > MAX_TENSORS) {
      throw malformed(`The response has more than ${MAX_TENSORS} outputs`);
    }
  });
  if (raw.length > 0 && raw.length !== outputs.length) {
    throw malformed(`The response has ${outputs.length} outputs but ${raw.length} raw contents`);
  }
  const result = new Map<string, HostTensor>();
  for (const [index, output] of outputs.entries()) {
    const { name, typeName, dims } = output;
    const content = raw[index];
    result.set(name, content ? tensorFromBytes(name, typeName, dims, content) : typedContents(output));
  }
  return result;
}

/** A tensor whose elements came in the typed lists. */
function typedContents({ name, typeName, dims, contents }: ReadTensor): HostTensor {
  const dataType = outputType(name, typeName);
  const count = checkedCount(name, dims);
  const most = dataType === DataType.STRING ? MAX_STRINGS : MAX_LISTED_ELEMENTS;
  if (count > most) {
    throw malformed(
      `The output "${serverText(name)}" has ${count} elements that are not raw`,
      `at most ${most} are read`,
    );
  }
  const integers: (number | bigint)[] = [];
  const floats: number[] = [];
  const texts: Uint8Array[] = [];
  walk(contents ?? new Uint8Array(0), CONTENTS, (field, reader) => {
    if (field.number <= 5) reader.pushInt64s(field, integers, count);
    else if (field.number === 6) reader.pushFloats(field, floats, count);
    else if (field.number === 7) pushDoubles(reader.bytes(field), floats);
    else if (field.number === 8) texts.push(reader.bytes(field));
    if (floats.length > count || texts.length > count) {
      throw malformed(`The output "${serverText(name)}" has more elements than the ${count} of its shape`);
    }
  });
  if (integers.length + floats.length + texts.length !== count) {
    const found = integers.length + floats.length + texts.length;
    throw malformed(`The output "${serverText(name)}" has ${found} elements where its shape takes ${count}`);
  }
  if (dataType === DataType.STRING) {
    const prefixed = Buffer.concat(texts.flatMap((text) => [lengthBytes(text.byteLength), text]));
    return tensorFromBytes(name, typeName, dims, prefixed);
  }
  return { dataType, dims, data: filled(name, dataType, count, floats.length > 0 ? floats : integers) };
}

function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length, true);
  return bytes;
}

function pushDoubles(bytes: Uint8Array, target: number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength / 8 > MAX_LISTED_ELEMENTS) throw malformed(`A list holds ${bytes.byteLength} bytes of doubles`);
  for (let at = 0; at + 8 <= bytes.byteLength; at += 8) target.push(view.getFloat64(at, true));
}

function filled(name: string, dataType: number, count: number, values: readonly (number | bigint)[]): HostData {
  const data = elementsView(dataType, new Uint8Array(count * 8));
  // FLOAT16 has no typed list: it can only come raw.
  if (data === undefined || dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) {
    throw malformed(`The output "${serverText(name)}" has a type that must come as raw contents`);
  }
  const target = data.slice(0, count);
  for (let i = 0; i < count; i++) {
    const value = values[i] as number | bigint;
    if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[i] = BigInt(value);
    else target[i] = Number(value);
  }
  return target;
}
