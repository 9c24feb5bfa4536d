/** What the load generator and the workflow know of a server, whatever its protocol. */
import type { Feeds, HostTensor, ValueSpec } from '../samples/types.js';
import type { DataTypeCode } from '../tensor/dtype.js';
import type { Pace } from './pace.js';
import type { Protocol } from './protocols.js';
import type { Failure } from './server-error.js';

/** The model that a server offers. */
export interface ServerModel {
  readonly name: string;
  readonly version?: string;
  /** Name and version of the server, where it reports them. */
  readonly server?: string;
  /** Undefined where the protocol does not report them. */
  readonly inputs?: readonly ValueSpec[];
  readonly outputs?: readonly ValueSpec[];
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
}

/** A request that is encoded already: sending it costs no more than its bytes. */
export interface PreparedRequest {
  /** Extra headers, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Rows of the batch. */
  readonly samples: number;
}

/** A complete response, not decoded. */
export interface ServerResponse {
  /** `200`, or `gRPC 14 UNAVAILABLE`. */
  readonly status: string;
  /** The status says that the request succeeded. */
  readonly ok: boolean;
  /** By its lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly body: Uint8Array;
  /** Sent a second time, since the server had closed the idle connection: see `HttpConnection`. */
  readonly retried: boolean;
  /** Of completions. */
  readonly tokens?: TokenTimes;
}

/** When the tokens of a completion came, in ms after the request was sent. */
export interface TokenTimes {
  readonly count: number;
  /** By the server's own count; else pieces of text are counted. */
  readonly counted: 'usage' | 'pieces';
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A body as it is sent, for servers that take anything. */
export interface RawBody {
  readonly body: Uint8Array;
  readonly contentType: string;
}

/** One connection that is kept open. One request at a time. */
export interface ServerConnection {
  /** Never rejects for what a server does or a network loses. `timeoutMs` overrides that of the transport. */
  send(request: PreparedRequest, timeoutMs?: number): Promise<ServerResponse | Failure>;
  /** Closes at once; a request in flight ends as the failure `closed`. */
  close(): void;
}

/** A client of one model of one server. Not tied to a connection. */
export interface ServerClient {
  readonly protocol: Protocol;
  /** Host and port, for messages. */
  readonly address: string;
  /**
   * Queries whether the server is up and what the model takes.
   * @throws SO5101 when it cannot be reached, SO5102 for an error status, SO5103 for a response that violates the
   * protocol, SO5104 when the model is missing or not ready
   */
  describe(): Promise<ServerModel>;
  /** About how many bytes an element takes in a request. */
  elementBytes(dataType: DataTypeCode): number;
  /** Encodes one request, yielding to the event loop as `pace` says. @throws SO4002 for values that the protocol cannot carry */
  prepare(feeds: Feeds, pace?: Pace): Promise<PreparedRequest>;
  /** A request of bytes as they are; absent where the protocol has none. */
  prepareRaw?(raw: RawBody): PreparedRequest;
  /** A request for a completion; only of the protocols `openai` and `openai-chat`. */
  preparePrompt?(prompt: string): PreparedRequest;
  connect(): ServerConnection;
  /** The message of the server in an error response. */
  errorText(response: ServerResponse): string;
  /**
   * Outputs of a successful response, checked against the protocol and the model. Empty where outputs are not tensors.
   * @throws SO5103
   */
  decode(response: ServerResponse, request: PreparedRequest): Map<string, HostTensor>;
}

export function isFailure(result: ServerResponse | Failure): result is Failure {
  return 'failure' in result;
}
