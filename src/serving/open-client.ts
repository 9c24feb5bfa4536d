import { ServeOptError } from '../errors.js';
import { isFailure, type ServerClient } from './client.js';
import { HttpConnection, type Transport } from './http-connection.js';
import { jsonObject, parseJson } from './json-tensor.js';
import { openTransport } from './open-transport.js';
import { type CompletionOptions, OpenAiClient } from './openai.js';
import type { Protocol } from './protocols.js';
import { failedExchange } from './server-error.js';
import { parseServerUrl, type ServerUrl } from './server-url.js';
import { type TensorFlowFormat, TensorFlowServingClient } from './tensorflow-serving.js';
import { TorchServeClient } from './torchserve.js';
import { V2GrpcClient } from './v2-grpc.js';
import { V2HttpClient } from './v2-http.js';

export interface ClientOptions extends CompletionOptions {
  /** Default: given by the URL, else detected from the server. */
  readonly protocol?: Protocol;
  /** Where the URL does not name it and the server has several. */
  readonly model?: string;
  readonly modelVersion?: string;
  /** Sent with every request, as `Name: value`. */
  readonly headers?: readonly string[];
  /** For one response; default 30 s. */
  readonly timeoutMs?: number;
  /** Default 256 MiB. */
  readonly maximumResponseBytes?: number;
  readonly tensorFlowFormat?: TensorFlowFormat;
  /** Time left for what precedes the measurement, in ms; default: just the timeout of each request. */
  readonly remainingMs?: () => number;
  /** Closes every connection; what waits for a response then throws SO8130. */
  readonly signal?: AbortSignal;
}

export interface OpenedClient {
  readonly client: ServerClient;
  readonly url: ServerUrl;
  /** How the protocol was chosen, where that is not plain. */
  readonly notes: readonly string[];
  /** Closes every connection, and lets go of the signal. */
  readonly close: () => void;
}

/**
 * The client for a URL. Queries the server only where neither the options nor the URL give the protocol.
 * @throws SO1002, SO1006 for a URL or options that cannot be used; SO5101, SO5103 when the protocol cannot be found out
 */
export async function openClient(urlText: string, options: ClientOptions): Promise<OpenedClient> {
  const url = parseServerUrl(urlText);
  if (options.model !== undefined && url.model !== undefined && options.model !== url.model) {
    throw new ServeOptError('SO1002', `The URL names the model "${url.model}" and --model another`);
  }
  const transport = await openTransport(url, {
    headers: headerFields(options.headers ?? []),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.maximumResponseBytes === undefined ? {} : { maximumResponseBytes: options.maximumResponseBytes }),
    remainingMs: options.remainingMs,
    signal: options.signal,
  });
  const { close } = transport.connections;
  try {
    const { protocol, notes } = await chooseProtocol(transport, options.protocol);
    const model = options.model ?? url.model;
    const version = options.modelVersion ?? url.version;
    return { client: createClient(transport, protocol, model, version, options), url, notes, close };
  } catch (error) {
    close();
    throw error;
  }
}

function createClient(
  transport: Transport,
  protocol: Protocol,
  model: string | undefined,
  version: string | undefined,
  options: ClientOptions,
): ServerClient {
  switch (protocol) {
    case 'v2-http':
    case 'v2-http-json':
      return new V2HttpClient(transport, model, version, protocol === 'v2-http');
    case 'v2-grpc':
      return new V2GrpcClient(transport, model, version);
    case 'torchserve':
      return new TorchServeClient(transport, model, version);
    case 'tfserving':
      return new TensorFlowServingClient(transport, model, version, options.tensorFlowFormat);
    case 'openai':
    case 'openai-chat':
      return new OpenAiClient(transport, model, protocol === 'openai-chat', options);
  }
}

/** Header names and values as RFC 9110 has them; control characters would forge further headers. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** What the protocols set themselves. */
const OWN_HEADERS = /^(content-length|transfer-encoding|connection|te|host|upgrade)$/;

/** @throws SO1006 for a malformed header */
export function headerFields(lines: readonly string[]): Record<string, string> {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const match = HEADER.exec(line);
    // The value may be a secret: it is not repeated.
    if (!match) {
      throw new ServeOptError('SO1006', 'A header is not of the form "Name: value"', {
        hint: '--header "Authorization: Bearer TOKEN"',
      });
    }
    const name = (match[1] as string).toLowerCase();
    if (OWN_HEADERS.test(name)) throw new ServeOptError('SO1006', `The header "${name}" cannot be set`);
    fields.push([name, (match[2] as string).trim()]);
  }
  return Object.fromEntries(fields);
}

/** Protocols that use the same paths. */
const FAMILY: Readonly<Record<Protocol, string>> = {
  'v2-http': 'v2',
  'v2-http-json': 'v2',
  'v2-grpc': 'grpc',
  torchserve: 'torchserve',
  tfserving: 'tfserving',
  openai: 'openai',
  'openai-chat': 'openai',
};

async function chooseProtocol(
  transport: Transport,
  wanted: Protocol | undefined,
): Promise<{ readonly protocol: Protocol; readonly notes: readonly string[] }> {
  const urlProtocol = transport.url.protocol;
  if (wanted !== undefined) {
    if (
      urlProtocol !== undefined &&
      FAMILY[urlProtocol] !== FAMILY[wanted] &&
      !(urlProtocol === 'v2-http' && wanted === 'v2-grpc')
    ) {
      throw new ServeOptError('SO1002', `The URL is of the protocol ${urlProtocol}, but --protocol is ${wanted}`);
    }
    return { protocol: wanted, notes: [] };
  }
  if (urlProtocol !== undefined && urlProtocol !== 'v2-http') return { protocol: urlProtocol, notes: [] };
  const connection = new HttpConnection(transport);
  try {
    return await detectProtocol(connection, transport, urlProtocol);
  } finally {
    connection.close();
  }
}

async function detectProtocol(
  connection: HttpConnection,
  transport: Transport,
  urlProtocol: Protocol | undefined,
): Promise<{ readonly protocol: Protocol; readonly notes: readonly string[] }> {
  const query = async (path: string): Promise<ReadonlyMap<string, unknown> | undefined> => {
    const response = await connection.exchange({ method: 'GET', path });
    if (isFailure(response)) throw failedExchange(transport.url.address, response);
    if (!response.ok) return undefined;
    try {
      return jsonObject(parseJson(response.body, 'The response'));
    } catch {
      return undefined;
    }
  };
  const v2 = await query('/v2');
  const extensions = v2?.get('extensions');
  // Triton writes it so; other servers may list nothing at all.
  if (Array.isArray(extensions) && extensions.length > 0 && !extensions.includes('binary_tensor_data')) {
    return {
      protocol: 'v2-http-json',
      notes: ['tensors are sent as JSON: the server lists no extension binary_tensor_data'],
    };
  }
  if (urlProtocol !== undefined || v2?.has('name')) return { protocol: 'v2-http', notes: [] };
  const ping = await query('/ping');
  if (typeof ping?.get('status') === 'string') return { protocol: 'torchserve', notes: [] };
  const models = await query(transport.url.prefix === '' ? '/v1/models' : '/models');
  if (Array.isArray(models?.get('data'))) {
    return {
      protocol: 'openai-chat',
      notes: ['chat completions are measured; --protocol openai uses plain completions'],
    };
  }
  throw new ServeOptError('SO5103', `Cannot detect the protocol of the server at ${transport.url.address}`, {
    why: 'none of /v2, /ping and /v1/models gives the response of a known protocol',
    hint: 'name it with --protocol, or give the whole path, for example /v1/models/NAME:predict',
  });
}
