import { ServeOptError } from '../errors.js';
import type { Feeds, HostTensor, ValueSpec } from '../samples/types.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { elementCount } from '../tensor/tensor.js';
import type { PreparedRequest, ServerClient, ServerConnection, ServerModel, ServerResponse } from './client.js';
import { HttpConnection, postingConnection, type Transport } from './http-connection.js';
import {
  elementsFromJson,
  encodePieces,
  jsonFields,
  jsonObject,
  jsonPieces,
  nestedShape,
  parseJson,
} from './json-tensor.js';
import type { Pace } from './pace.js';
import { missingModel, refused } from './refusal.js';
import { jsonElementBytes } from './request-size.js';
import { malformed, serverText } from './server-error.js';
import { jsonErrorText } from './v2-http.js';
import { valueSpec } from './v2-metadata.js';

/** `rows` sends "instances", one for each row of the batch; `columns` sends "inputs", one list for each input. */
export type TensorFlowFormat = 'rows' | 'columns';

/** Names of types in a signature (tensorflow/core/framework/types.proto). */
const TYPES: ReadonlyMap<string, DataTypeCode> = new Map([
  ['DT_FLOAT', DataType.FLOAT],
  ['DT_DOUBLE', DataType.DOUBLE],
  ['DT_HALF', DataType.FLOAT16],
  ['DT_INT8', DataType.INT8],
  ['DT_INT16', DataType.INT16],
  ['DT_INT32', DataType.INT32],
  ['DT_INT64', DataType.INT64],
  ['DT_UINT8', DataType.UINT8],
  ['DT_UINT16', DataType.UINT16],
  ['DT_UINT32', DataType.UINT32],
  ['DT_UINT64', DataType.UINT64],
  ['DT_BOOL', DataType.BOOL],
  ['DT_STRING', DataType.STRING],
]);

const SIGNATURE = 'serving_default';

/** TensorFlow Serving's REST API, signature `serving_default`. */
export class TensorFlowServingClient implements ServerClient {
  readonly protocol = 'tfserving';
  readonly address: string;
  readonly #transport: Transport;
  readonly #model: string | undefined;
  readonly #version: string | undefined;
  readonly #format: TensorFlowFormat;
  #outputs: readonly ValueSpec[] = [];

  constructor(
    transport: Transport,
    model: string | undefined,
    version: string | undefined,
    format: TensorFlowFormat = 'columns',
  ) {
    this.address = transport.url.address;
    this.#transport = transport;
    this.#model = model;
    this.#version = version;
    this.#format = format;
  }

  async describe(): Promise<ServerModel> {
    if (this.#model === undefined) throw missingModel(this.address, undefined, undefined, '', []);
    const connection = new HttpConnection(this.#transport);
    try {
      const status = await connection.query({ method: 'GET', path: this.#path() });
      if (status.status === '404') {
        throw missingModel(this.address, this.#model, this.#version, this.errorText(status), []);
      }
      if (!status.ok) throw refused(this.address, status, this.errorText(status));
      const states = jsonObject(parseJson(status.body, 'The status of the model'))?.get('model_version_status');
      const available = Array.isArray(states) && states.some((item) => jsonObject(item)?.get('state') === 'AVAILABLE');
      if (!available) throw missingModel(this.address, this.#model, this.#version, 'no version of it is AVAILABLE', []);
      const response = await connection.query({ method: 'GET', path: `${this.#path()}/metadata` });
      if (!response.ok) throw refused(this.address, response, this.errorText(response));
      const { inputs, outputs } = signature(parseJson(response.body, 'The metadata of the model'));
      this.#outputs = outputs;
      const version = this.#version === undefined ? {} : { version: this.#version };
      return { name: this.#model, ...version, inputs, outputs, notes: [] };
    } finally {
      connection.close();
    }
  }

  #path(): string {
    const version = this.#version === undefined ? '' : `/versions/${encodeURIComponent(this.#version)}`;
    return `/v1/models/${encodeURIComponent(this.#model ?? '')}${version}`;
  }

  readonly elementBytes = jsonElementBytes;

  async prepare(feeds: Feeds, pace?: Pace): Promise<PreparedRequest> {
    const [first] = feeds.values();
    const rows = first?.dims[0] ?? 1;
    return {
      headers: { 'content-type': 'application/json' },
      body: await encodePieces(this.#format === 'columns' ? columns(feeds) : instances(feeds, rows), pace),
      samples: rows,
    };
  }

  connect(): ServerConnection {
    return postingConnection(this.#transport, `${this.#path()}:predict`);
  }

  errorText(response: ServerResponse): string {
    return jsonErrorText(response.body);
  }

  /** One output comes as the bare value, several as an object; by rows each in its own list. */
  decode(response: ServerResponse, request: PreparedRequest): Map<string, HostTensor> {
    const document = jsonObject(parseJson(response.body, 'The response'));
    const value = document?.get(this.#format === 'columns' ? 'outputs' : 'predictions');
    if (value === undefined) throw malformed('The response has neither "outputs" nor "predictions" as requested');
    const result = new Map<string, HostTensor>();
    for (const spec of this.#outputs) {
      const part = this.#part(value, spec.name);
      if (part === undefined) throw malformed(`The response lacks the output "${serverText(spec.name)}"`);
      if (spec.dataType === undefined) continue;
      const dims = nestedShape(part);
      const data = elementsFromJson(spec.name, spec.dataType, part, elementCount(dims));
      result.set(spec.name, { dataType: spec.dataType, dims, data });
    }
    if (this.#format === 'rows' && (!Array.isArray(value) || value.length !== request.samples)) {
      throw malformed(`The response does not have one prediction for each of ${request.samples} instances`);
    }
    return result;
  }

  #part(value: unknown, name: string): unknown {
    if (this.#outputs.length === 1) return value;
    if (this.#format === 'columns') return jsonObject(value)?.get(name);
    if (!Array.isArray(value)) return undefined;
    const parts = value.map((row) => jsonObject(row)?.get(name));
    return parts.includes(undefined) ? undefined : parts;
  }
}

const START = `{"signature_name":"${SIGNATURE}",`;

function* columns(feeds: Feeds): Generator<string, void> {
  yield `${START}"inputs":`;
  yield* jsonFields(feeds);
  yield '}';
}

function* instances(feeds: Feeds, rows: number): Generator<string, void> {
  for (const [name, { dims }] of feeds) {
    if (dims[0] === rows) continue;
    throw new ServeOptError(
      'SO4002',
      `The input "${name}" cannot be sent by rows: its first dimension is not ${rows}`,
      { hint: 'send columns' },
    );
  }
  yield `${START}"instances":[`;
  for (let row = 0; row < rows; row++) {
    if (row > 0) yield ',';
    let separator = '{';
    for (const [name, tensor] of feeds) {
      if (feeds.size > 1) yield `${separator}${JSON.stringify(name)}:`;
      separator = ',';
      const dims = tensor.dims.slice(1);
      yield* jsonPieces(name, tensor, dims, row * elementCount(dims));
    }
    if (feeds.size > 1) yield '}';
  }
  yield ']}';
}

/** Inputs and outputs of `serving_default` in a metadata document. @throws SO5103 */
function signature(document: unknown): {
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
} {
  const at = (value: unknown, key: string): unknown => jsonObject(value)?.get(key);
  const signatures = at(at(at(document, 'metadata'), 'signature_def'), 'signature_def');
  const chosen = at(signatures, SIGNATURE);
  if (chosen === undefined) {
    const names = [...(jsonObject(signatures)?.keys() ?? [])].slice(0, 8).map(serverText).join(', ');
    throw malformed(`The model has no signature "${SIGNATURE}"`, names === '' ? undefined : `it has: ${names}`);
  }
  const tensors = (value: unknown): ValueSpec[] =>
    [...(jsonObject(value) ?? [])].map(([name, tensor]) => {
      const shape = at(tensor, 'tensor_shape');
      const dims = at(shape, 'dim');
      // An int64 is a text in protobuf's JSON.
      const sizes = Array.isArray(dims) ? dims.map((dim) => Number(at(dim, 'size') ?? 0)) : [];
      const known = at(shape, 'unknown_rank') !== true && sizes.every(Number.isSafeInteger);
      const typeName = String(at(tensor, 'dtype'));
      return valueSpec({ name, typeName, shape: known ? sizes : undefined }, (type) => TYPES.get(type));
    });
  return { inputs: tensors(at(chosen, 'inputs')), outputs: tensors(at(chosen, 'outputs')) };
}
