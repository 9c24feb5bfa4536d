import type { Feeds, HostTensor } from '../samples/types.js';
import {
  isFailure,
  type PreparedRequest,
  type ServerClient,
  type ServerConnection,
  type ServerModel,
  type ServerResponse,
} from './client.js';
import { framed, GrpcConnection, grpcMessage } from './grpc-connection.js';
import type { Transport } from './http-connection.js';
import { METADATA_BYTES } from './limits.js';
import type { Pace } from './pace.js';
import { missingModel, refused } from './refusal.js';
import { binaryElementBytes } from './request-size.js';
import { serverText } from './server-error.js';
import {
  indexRequest,
  inferRequest,
  modelRequest,
  readIndex,
  readInferResponse,
  readMetadata,
  readReady,
  readServer,
} from './v2-messages.js';
import { valueSpec } from './v2-metadata.js';

const SERVICE = '/inference.GRPCInferenceService';

/** The Open Inference Protocol over gRPC; tensors go as raw contents. */
export class V2GrpcClient implements ServerClient {
  readonly protocol = 'v2-grpc';
  readonly address: string;
  readonly #transport: Transport;
  #model: string | undefined;
  readonly #version: string | undefined;

  constructor(transport: Transport, model: string | undefined, version: string | undefined) {
    this.address = transport.url.address;
    this.#transport = transport;
    this.#model = model;
    this.#version = version;
  }

  async describe(): Promise<ServerModel> {
    const connection = new GrpcConnection(this.#transport);
    try {
      const serverMetadata = await connection.query(`${SERVICE}/ServerMetadata`, new Uint8Array(0));
      if (!serverMetadata.ok && !/UNIMPLEMENTED/.test(serverMetadata.status))
        throw refused(this.address, serverMetadata, grpcMessage(serverMetadata));
      const name = this.#model ?? (await this.#onlyModel(connection));
      this.#model = name;
      const request = modelRequest(name, this.#version);
      const metadata = await connection.query(`${SERVICE}/ModelMetadata`, request);
      if (!metadata.ok) {
        if (!/NOT_FOUND|UNAVAILABLE|INVALID_ARGUMENT/.test(metadata.status)) {
          throw refused(this.address, metadata, grpcMessage(metadata));
        }
        const names = await this.#modelNames(connection);
        throw missingModel(this.address, name, this.#version, grpcMessage(metadata), names);
      }
      const ready = await connection.query(`${SERVICE}/ModelReady`, request);
      if (ready.ok && !readReady(ready.body)) {
        throw missingModel(this.address, name, this.#version, 'it is not ready', []);
      }
      const { inputs, outputs } = readMetadata(metadata.body);
      return {
        name,
        ...(this.#version === undefined ? {} : { version: this.#version }),
        ...(serverMetadata.ok ? { server: serverText(readServer(serverMetadata.body)) } : {}),
        inputs: inputs.map((tensor) => valueSpec(tensor)),
        outputs: outputs.map((tensor) => valueSpec(tensor)),
        notes: [],
      };
    } finally {
      connection.close();
    }
  }

  async #onlyModel(connection: GrpcConnection): Promise<string> {
    const names = await this.#modelNames(connection);
    const [only] = names;
    if (names.length === 1 && only !== undefined) return only;
    throw missingModel(this.address, undefined, undefined, '', names);
  }

  async #modelNames(connection: GrpcConnection): Promise<string[]> {
    const response = await connection.call(`${SERVICE}/RepositoryIndex`, framed(indexRequest()), {
      maximumBytes: METADATA_BYTES,
    });
    return !isFailure(response) && response.ok ? readIndex(response.body) : [];
  }

  readonly elementBytes = binaryElementBytes;

  async prepare(feeds: Feeds, pace?: Pace): Promise<PreparedRequest> {
    const [first] = feeds.values();
    await pace?.rest();
    const body = framed(...inferRequest(this.#model ?? '', this.#version, feeds));
    return { headers: {}, body, samples: first?.dims[0] ?? 1 };
  }

  connect(): ServerConnection {
    const connection = new GrpcConnection(this.#transport);
    return {
      send: ({ body }, timeoutMs) =>
        connection.call(`${SERVICE}/ModelInfer`, body, timeoutMs === undefined ? {} : { timeoutMs }),
      close: () => connection.close(),
    };
  }

  errorText(response: ServerResponse): string {
    return grpcMessage(response);
  }

  decode(response: ServerResponse): Map<string, HostTensor> {
    return readInferResponse(response.body);
  }
}
