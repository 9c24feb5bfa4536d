import type { Feeds, HostTensor } from '../samples/types.js';
import type {
  PreparedRequest,
  RawBody,
  ServerClient,
  ServerConnection,
  ServerModel,
  ServerResponse,
} from './client.js';
import { HttpConnection, postingConnection, type Transport } from './http-connection.js';
import { encodePieces, jsonFields, parseJson } from './json-tensor.js';
import type { Pace } from './pace.js';
import { missingModel, refused } from './refusal.js';
import { jsonElementBytes } from './request-size.js';
import { malformed } from './server-error.js';
import { jsonErrorText } from './v2-http.js';

/**
 * TorchServe's inference API. What a model takes is up to its handler and is not reported: bodies are sent as they are, or
 * tensors as a JSON object of nested lists by input name. The token goes in as a header (`Authorization: Bearer …`).
 */
export class TorchServeClient implements ServerClient {
  readonly protocol = 'torchserve';
  readonly address: string;
  readonly #transport: Transport;
  readonly #model: string | undefined;
  readonly #version: string | undefined;
  /** The responses so far were JSON, so all should be. */
  #json = true;

  constructor(transport: Transport, model: string | undefined, version: string | undefined) {
    this.address = transport.url.address;
    this.#transport = transport;
    this.#model = model;
    this.#version = version;
  }

  async describe(): Promise<ServerModel> {
    const connection = new HttpConnection(this.#transport);
    try {
      const ping = await connection.query({ method: 'GET', path: '/ping' });
      // 500 with a status: a worker is not up, perhaps of another model. The first requests will show it.
      if (!ping.ok && ping.status !== '500') throw refused(this.address, ping, this.errorText(ping));
      if (this.#model === undefined) throw missingModel(this.address, undefined, undefined, '', []);
      const notes = ping.ok ? [] : [`the server reports: ${this.errorText(ping)}`];
      return { name: this.#model, ...(this.#version === undefined ? {} : { version: this.#version }), notes };
    } finally {
      connection.close();
    }
  }

  readonly elementBytes = jsonElementBytes;

  async prepare(feeds: Feeds, pace?: Pace): Promise<PreparedRequest> {
    const [first] = feeds.values();
    return {
      headers: { 'content-type': 'application/json' },
      body: await encodePieces(jsonFields(feeds), pace),
      samples: first?.dims[0] ?? 1,
    };
  }

  prepareRaw({ body, contentType }: RawBody): PreparedRequest {
    return { headers: { 'content-type': contentType }, body, samples: 1 };
  }

  connect(): ServerConnection {
    const version = this.#version === undefined ? '' : `/${encodeURIComponent(this.#version)}`;
    const path = `/predictions/${encodeURIComponent(this.#model ?? '')}${version}`;
    return postingConnection(this.#transport, path);
  }

  errorText(response: ServerResponse): string {
    return jsonErrorText(response.body);
  }

  /** A response may be anything that is not empty; where responses begin as JSON, they must be JSON. */
  decode(response: ServerResponse): Map<string, HostTensor> {
    if (response.body.byteLength === 0) throw malformed('The response is empty');
    const [start] = response.body;
    const looksLikeJson = start === 0x7b || start === 0x5b;
    if (!looksLikeJson) this.#json = false;
    if (this.#json) parseJson(response.body, 'The response');
    return new Map();
  }
}
