/** The messages of the Open Inference Protocol's gRPC service: what goes into them, and what is taken from them. */
import { type DecodeOptions, decodeMessage, type ListLimit, MessageError } from '../proto/decode-message.js';
import { delimited, encodeMessage } from '../proto/encode-message.js';
import { INFERENCE_V2 } from '../proto/inference-v2.js';
import type { MessageOf } from '../proto/schema.js';
import type { Feeds, HostData, HostTensor } from '../samples/types.js';
import { DataType } from '../tensor/dtype.js';
import { elementsView } from '../tensor/tensor.js';
import { MAX_DIMENSIONS, MAX_LISTED_ELEMENTS, MAX_MODELS, MAX_STRINGS, MAX_TENSORS } from './limits.js';
import { malformed, serverText } from './server-error.js';
import type { DescribedTensor } from './v2-metadata.js';
import { checkedCount, outputType, tensorFromBytes, tensorToBytes, v2TypeName } from './v2-tensor.js';

type Messages = typeof INFERENCE_V2;

/** @throws SO5103 for damaged bytes, or lists beyond their limits */
function decode<N extends keyof Messages>(
  name: N,
  bytes: Uint8Array,
  lists: Readonly<Record<string, ListLimit>> = {},
): MessageOf<Messages, N> {
  const options: DecodeOptions = { lists: new Map(Object.entries(lists)) };
  try {
    return decodeMessage(INFERENCE_V2, name, bytes, options);
  } catch (cause) {
    if (!(cause instanceof MessageError)) throw cause;
    throw malformed(`The response is not a valid ${name}`, serverText(cause.message));
  }
}

const SHAPE: ListLimit = { most: MAX_DIMENSIONS, beyond: 'refuse' };
/** One more than is accepted, so that the check of the interface reports it. */
const DESCRIBED: ListLimit = { most: MAX_TENSORS + 1, beyond: 'drop' };

/** ModelReadyRequest and ModelMetadataRequest are alike. */
export function modelRequest(name: string, version = ''): Uint8Array {
  return encodeMessage(INFERENCE_V2, 'ModelMetadataRequest', { name, version });
}

/** For the models that are ready. */
export function indexRequest(): Uint8Array {
  return encodeMessage(INFERENCE_V2, 'RepositoryIndexRequest', { ready: true });
}

/** ServerReady, ModelReady. */
export function readReady(bytes: Uint8Array): boolean {
  return decode('ModelReadyResponse', bytes).ready;
}

/** Name and version of the server. */
export function readServer(bytes: Uint8Array): string {
  const { name, version } = decode('ServerMetadataResponse', bytes);
  return [name, version].filter((part) => part !== '').join(' ');
}

/** Names of the models in a repository index, each once. */
export function readIndex(bytes: Uint8Array): string[] {
  const { models } = decode('RepositoryIndexResponse', bytes, { models: { most: MAX_MODELS, beyond: 'drop' } });
  return [...new Set(models.map(({ name }) => name))];
}

export function readMetadata(bytes: Uint8Array): {
  readonly inputs: readonly DescribedTensor[];
  readonly outputs: readonly DescribedTensor[];
} {
  const metadata = decode('ModelMetadataResponse', bytes, { inputs: DESCRIBED, outputs: DESCRIBED, shape: SHAPE });
  return { inputs: metadata.inputs.map(described), outputs: metadata.outputs.map(described) };
}

function described({ name, datatype, shape }: MessageOf<Messages, 'TensorMetadata'>): DescribedTensor {
  return { name, typeName: datatype, shape: shape.map(Number) };
}

/**
 * ModelInferRequest with all tensors as `raw_input_contents`, in pieces: bytes of tensors are not copied here.
 * @throws SO4002 for a type the protocol does not have
 */
export function inferRequest(model: string, version = '', feeds: Feeds): readonly Uint8Array[] {
  const inputs = [...feeds].map(([name, { dataType, dims }]) => ({
    name,
    datatype: v2TypeName(dataType, name),
    shape: dims,
  }));
  const head = encodeMessage(INFERENCE_V2, 'ModelInferRequest', { model_name: model, model_version: version, inputs });
  const { id } = INFERENCE_V2.ModelInferRequest.fields.raw_input_contents;
  return [head, ...[...feeds.values()].flatMap((tensor) => delimited(id, tensorToBytes(tensor)))];
}

/** Outputs of a ModelInferResponse, raw or typed. @throws SO5103 */
export function readInferResponse(bytes: Uint8Array): Map<string, HostTensor> {
  const limit: ListLimit = { most: MAX_TENSORS, beyond: 'refuse' };
  const response = decode('ModelInferResponse', bytes, { outputs: limit, raw_output_contents: limit, shape: SHAPE });
  const { outputs, raw_output_contents: raw } = response;
  if (raw.length > 0 && raw.length !== outputs.length) {
    throw malformed(`The response has ${outputs.length} outputs but ${raw.length} raw contents`);
  }
  const result = new Map<string, HostTensor>();
  for (const [index, output] of outputs.entries()) {
    const { name, datatype, shape, contents } = output;
    const dims = shape.map(Number);
    const content = raw[index];
    result.set(
      name,
      content ? tensorFromBytes(name, datatype, dims, content) : typedContents(name, datatype, dims, contents),
    );
  }
  return result;
}

/** A tensor whose elements came in the typed lists. */
function typedContents(name: string, typeName: string, dims: readonly number[], contents: Uint8Array): HostTensor {
  const dataType = outputType(name, typeName);
  const count = checkedCount(name, dims);
  const most = dataType === DataType.STRING ? MAX_STRINGS : MAX_LISTED_ELEMENTS;
  if (count > most) {
    throw malformed(
      `The output "${serverText(name)}" has ${count} elements that are not raw`,
      `at most ${most} are read`,
    );
  }
  const { bytes_contents: texts, ...numbers } = decode('InferTensorContents', contents, listsOf(count));
  const lists: readonly (readonly (number | bigint | boolean)[])[] = Object.values(numbers);
  const found = lists.reduce((sum, { length }) => sum + length, texts.length);
  if (found !== count) {
    throw malformed(`The output "${serverText(name)}" has ${found} elements, but its shape needs ${count}`);
  }
  if (dataType === DataType.STRING) {
    const prefixed = Buffer.concat(texts.flatMap((text) => [lengthBytes(text.byteLength), text]));
    return tensorFromBytes(name, typeName, dims, prefixed);
  }
  return { dataType, dims, data: filled(name, dataType, lists.find(({ length }) => length > 0) ?? []) };
}

/** No list holds more elements than the shape. */
function listsOf(count: number): Readonly<Record<string, ListLimit>> {
  const limit: ListLimit = { most: count, beyond: 'refuse' };
  return Object.fromEntries(Object.keys(INFERENCE_V2.InferTensorContents.fields).map((key) => [key, limit]));
}

function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length, true);
  return bytes;
}

function filled(name: string, dataType: number, values: readonly (number | bigint | boolean)[]): HostData {
  const data = elementsView(dataType, new Uint8Array(values.length * 8));
  // FLOAT16 has no typed list: it can only come raw.
  if (data === undefined || dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) {
    throw malformed(`The output "${serverText(name)}" has a type that must come as raw contents`);
  }
  const target = data.slice(0, values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number | bigint | boolean;
    if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[index] = BigInt(value);
    else target[index] = Number(value);
  }
  return target;
}
