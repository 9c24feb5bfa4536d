import { encodeUtf8 } from '../codec/utf8.js';
import type { Feeds, HostTensor } from '../samples/types.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { elementCount } from '../tensor/tensor.js';
import {
  isFailure,
  type PreparedRequest,
  type ServerClient,
  type ServerConnection,
  type ServerModel,
  type ServerResponse,
} from './client.js';
import { HttpConnection, postingConnection, type Transport } from './http-connection.js';
import { elementsFromJson, encodePieces, jsonObject, jsonPieces, notInJson, parseJson } from './json-tensor.js';
import { ERROR_BYTES, MAX_MODELS, MAX_TENSORS, METADATA_BYTES } from './limits.js';
import type { Pace } from './pace.js';
import { missingModel, refused } from './refusal.js';
import { binaryElementBytes, jsonElementBytes } from './request-size.js';
import { malformed, serverText } from './server-error.js';
import { describedTensors, isShape, valueSpec } from './v2-metadata.js';
import { checkedCount, outputType, tensorFromBytes, tensorToBytes, v2TypeName } from './v2-tensor.js';

const HEADER_LENGTH = 'inference-header-content-length';

/**
 * The Open Inference Protocol over HTTP. `binary` sends tensors as bytes behind a JSON header whose length stands in
 * `Inference-Header-Content-Length` (the "binary tensor data" extension) and requests outputs in the same form.
 */
export class V2HttpClient implements ServerClient {
  readonly protocol;
  readonly address: string;
  readonly #transport: Transport;
  readonly #binary: boolean;
  #model: string | undefined;
  readonly #version: string | undefined;
  /** The last valid JSON header, and what it holds: most responses have the same. */
  #known: { readonly header: Uint8Array; readonly document: ReadonlyMap<string, unknown> } | undefined;

  constructor(transport: Transport, model: string | undefined, version: string | undefined, binary: boolean) {
    this.protocol = binary ? ('v2-http' as const) : ('v2-http-json' as const);
    this.address = transport.url.address;
    this.#transport = transport;
    this.#model = model;
    this.#version = version;
    this.#binary = binary;
  }

  async describe(): Promise<ServerModel> {
    const connection = new HttpConnection(this.#transport);
    try {
      return await this.#describe(connection);
    } finally {
      connection.close();
    }
  }

  async #describe(connection: HttpConnection): Promise<ServerModel> {
    const server = await connection.query({ method: 'GET', path: '/v2' });
    const serverMetadata = server.ok ? jsonObject(parseJson(server.body, 'The description of the server')) : undefined;
    const name = this.#model ?? (await this.#onlyModel(connection));
    this.#model = name;
    const response = await connection.query({ method: 'GET', path: this.#path() });
    if (!response.ok) {
      // Triton responds with 400 for a model it does not have or has not loaded.
      if (response.status !== '404' && response.status !== '400')
        throw refused(this.address, response, this.errorText(response));
      throw missingModel(
        this.address,
        name,
        this.#version,
        this.errorText(response),
        await this.#modelNames(connection),
      );
    }
    const fields = jsonObject(parseJson(response.body, 'The metadata of the model'));
    if (!fields) throw malformed('The metadata of the model is not an object');
    const ready = await connection.query({ method: 'GET', path: `${this.#path()}/ready` });
    // Not all servers have this endpoint (404); only an explicit "not ready" counts.
    if (!ready.ok && ready.status !== '404') {
      throw missingModel(this.address, name, this.#version, this.errorText(ready) || 'it is not ready', []);
    }
    const serverName = [serverMetadata?.get('name'), serverMetadata?.get('version')]
      .filter((part) => typeof part === 'string')
      .join(' ');
    const extensions = serverMetadata?.get('extensions');
    const notes =
      this.#binary && Array.isArray(extensions) && !extensions.includes('binary_tensor_data')
        ? ['the server does not list the extension binary_tensor_data; --protocol v2-http-json sends numbers']
        : [];
    return {
      name,
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(serverName === '' ? {} : { server: serverText(serverName) }),
      inputs: describedTensors(fields.get('inputs'), 'inputs').map((tensor) => valueSpec(tensor)),
      outputs: describedTensors(fields.get('outputs'), 'outputs').map((tensor) => valueSpec(tensor)),
      notes,
    };
  }

  /** The model to take when none was named. */
  async #onlyModel(connection: HttpConnection): Promise<string> {
    const names = await this.#modelNames(connection);
    const [only] = names;
    if (names.length === 1 && only !== undefined) return only;
    throw missingModel(this.address, undefined, undefined, '', names);
  }

  /** Triton and MLServer list their models at the repository, KServe at /v2/models; empty when neither is there. */
  async #modelNames(connection: HttpConnection): Promise<string[]> {
    const body = encodeUtf8('{"ready":true}');
    const headers = { 'content-type': 'application/json' };
    const path = '/v2/repository/index';
    const index = await connection.exchange({ method: 'POST', path, headers, body, maximumBytes: METADATA_BYTES });
    if (!isFailure(index) && index.ok) return namesIn(index);
    const list = await connection.exchange({ method: 'GET', path: '/v2/models' });
    return !isFailure(list) && list.ok ? namesIn(list) : [];
  }

  #path(): string {
    const version = this.#version === undefined ? '' : `/versions/${encodeURIComponent(this.#version)}`;
    return `/v2/models/${encodeURIComponent(this.#model ?? '')}${version}`;
  }

  elementBytes(dataType: DataTypeCode): number {
    return this.#binary ? binaryElementBytes(dataType) : jsonElementBytes(dataType);
  }

  async prepare(feeds: Feeds, pace?: Pace): Promise<PreparedRequest> {
    const [first] = feeds.values();
    const samples = first?.dims[0] ?? 1;
    if (!this.#binary) {
      const body = await encodePieces(jsonRequest(feeds), pace);
      return { headers: { 'content-type': 'application/json' }, body, samples };
    }
    const payloads: Uint8Array[] = [];
    const inputs: string[] = [];
    for (const [name, tensor] of feeds) {
      const bytes = tensorToBytes(tensor);
      payloads.push(bytes);
      inputs.push(`${describedInput(name, tensor)},"parameters":{"binary_data_size":${bytes.byteLength}}}`);
      const rest = pace?.rest();
      if (rest) await rest;
    }
    const header = encodeUtf8(`{"parameters":{"binary_data_output":true},"inputs":[${inputs.join(',')}]}`);
    return {
      headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(header.byteLength) },
      body: Buffer.concat([header, ...payloads]),
      samples,
    };
  }

  connect(): ServerConnection {
    return postingConnection(this.#transport, `${this.#path()}/infer`);
  }

  errorText(response: ServerResponse): string {
    return jsonErrorText(response.body);
  }

  decode(response: ServerResponse): Map<string, HostTensor> {
    const { document, payload } = this.#split(response);
    const outputs = document.get('outputs');
    if (!Array.isArray(outputs)) throw malformed('The response has no list of outputs');
    if (outputs.length > MAX_TENSORS) throw malformed(`The response has ${outputs.length} outputs`);
    const result = new Map<string, HostTensor>();
    let at = 0;
    for (const item of outputs) {
      const fields = jsonObject(item);
      const name = fields?.get('name');
      const typeName = fields?.get('datatype');
      const dims = fields?.get('shape');
      if (!fields || typeof name !== 'string' || typeof typeName !== 'string' || !isShape(dims)) {
        throw malformed('The response has an output without name, datatype or shape');
      }
      const size = jsonObject(fields.get('parameters'))?.get('binary_data_size');
      if (size === undefined) {
        const dataType = outputType(name, typeName);
        const data = elementsFromJson(name, dataType, fields.get('data'), checkedCount(name, dims));
        result.set(name, { dataType, dims, data });
        continue;
      }
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || at + size > payload.byteLength) {
        throw malformed(`The bytes of the output "${serverText(name)}" end early`);
      }
      result.set(name, tensorFromBytes(name, typeName, dims, payload.subarray(at, at + size)));
      at += size;
    }
    if (at !== payload.byteLength) throw malformed(`The response has ${payload.byteLength - at} bytes too many`);
    return result;
  }

  /** The JSON of a response, and the bytes after it. */
  #split(response: ServerResponse): { readonly document: ReadonlyMap<string, unknown>; readonly payload: Uint8Array } {
    const { body } = response;
    const length = response.header(HEADER_LENGTH);
    const headerBytes = length === undefined ? body.byteLength : Number(length);
    if (!Number.isSafeInteger(headerBytes) || headerBytes < 0 || headerBytes > body.byteLength) {
      throw malformed(`The response is shorter than its ${HEADER_LENGTH} of ${serverText(length ?? '')}`);
    }
    const header = body.subarray(0, headerBytes);
    const payload = body.subarray(headerBytes);
    if (length !== undefined && this.#known && Buffer.compare(this.#known.header, header) === 0) {
      return { document: this.#known.document, payload };
    }
    const document = jsonObject(parseJson(header, 'The response'));
    if (!document) throw malformed('The response is not a JSON object');
    if (length !== undefined) this.#known = { header: Uint8Array.from(header), document };
    return { document, payload };
  }
}

/** An input of a request, up to its elements; the brace stays open. */
function describedInput(name: string, { dims, dataType }: HostTensor): string {
  return `{"name":${JSON.stringify(name)},"shape":[${dims.join(',')}],"datatype":"${v2TypeName(dataType, name)}"`;
}

function* jsonRequest(feeds: Feeds): Generator<string, void> {
  let separator = '{"inputs":[';
  for (const [name, tensor] of feeds) {
    // The protocol gives FP16 and BF16 no JSON form.
    if (tensor.dataType === DataType.FLOAT16) throw notInJson(name, tensor.dataType);
    yield `${separator}${describedInput(name, tensor)},"data":`;
    yield* jsonPieces(name, tensor, [elementCount(tensor.dims)]);
    yield '}';
    separator = ',';
  }
  yield ']}';
}

/** The `error` of a JSON body (a text, or an object with a `message`), else the start of the body. */
export function jsonErrorText(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, ERROR_BYTES)).toString('utf8');
  try {
    const fields = jsonObject(JSON.parse(text));
    const error = fields?.get('error') ?? fields?.get('detail') ?? fields?.get('message');
    const inner = jsonObject(error)?.get('message') ?? error;
    if (typeof inner === 'string') return serverText(inner);
  } catch {
    // Not JSON: the text as it is.
  }
  return serverText(text);
}

/** Names in a list of models: objects with a `name`, or plain names; each once. */
function namesIn(response: ServerResponse): string[] {
  try {
    const document = parseJson(response.body, 'The list of models');
    const list = Array.isArray(document) ? document : jsonObject(document)?.get('models');
    if (!Array.isArray(list)) return [];
    const names = list
      .slice(0, MAX_MODELS)
      .map((item) => (typeof item === 'string' ? item : jsonObject(item)?.get('name')));
    return [...new Set(names.filter((name) => typeof name === 'string'))];
  } catch {
    return [];
  }
}
