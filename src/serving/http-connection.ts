import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { isFailure, type ServerConnection, type ServerResponse } from './client.js';
import { ERROR_BYTES, HEADER_BYTES, INFORMATIONAL_RESPONSES, METADATA_BYTES } from './limits.js';
import type { LiveConnections } from './live-connections.js';
import { ResponseBuffer, type ResponsePool } from './response-buffer.js';
import { CLOSED, type Failure, failedExchange, failureOf, serverText } from './server-error.js';
import type { ServerUrl } from './server-url.js';

/** What all connections to a server share. */
export interface Transport {
  readonly url: ServerUrl;
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** From sending to the end of the response. */
  readonly timeoutMs: number;
  /** A larger response is not read to its end. */
  readonly maximumResponseBytes: number;
  /** Holds what comes in on all connections. */
  readonly pool: ResponsePool;
  /** Time left before the measurement, in ms: requests that name no time limit of their own keep to it too. */
  readonly remainingMs?: (() => number) | undefined;
  readonly connections: LiveConnections;
}

/** The time limit of a request that names none: at least 1 ms, so that a failure can report it. */
export function defaultLimitMs({ timeoutMs, remainingMs }: Transport): number {
  return Math.max(1, Math.min(timeoutMs, Math.ceil(remainingMs?.() ?? timeoutMs)));
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs?: number;
  /** Default: what metadata may have for GET, else `maximumAnswerBytes` of the transport. */
  readonly maximumBytes?: number;
  /** Sees pieces of a successful response as they arrive; a failure ends the response. */
  readonly onPiece?: (piece: Uint8Array) => Failure | undefined;
}

/**
 * One HTTP/1.1 connection that is kept open and takes a request at a time.
 *
 * A server may close a kept connection just when the next request goes out. Then the connection ends before a byte of the
 * response, on a socket that has served before; the request is retried once, on a new connection, while its clock goes
 * on (RFC 9112, 9.3.1; inference changes nothing on the server). It is not a failure but is counted (`sentAgain`). A
 * connection that breaks in any other way is a failure.
 * Redirects are not followed: a measurement is of the server that was named. Proxies of the environment are not used.
 * Compressed responses are refused: none was requested. What a server may send is bounded: see limits.ts.
 */
export class HttpConnection {
  readonly #transport: Transport;
  readonly #agent: Agent;
  readonly #request: typeof plainRequest;
  #current: ClientRequest | undefined;
  #closed = false;

  constructor(transport: Transport) {
    const options = { keepAlive: true, maxSockets: 1 };
    this.#transport = transport;
    this.#agent = transport.url.secure ? new SecureAgent(options) : new Agent(options);
    this.#request = transport.url.secure ? secureRequest : plainRequest;
    transport.connections.add(this.close);
  }

  async exchange(request: HttpRequest): Promise<ServerResponse | Failure> {
    if (this.#closed) return CLOSED;
    const { result, idleClosed } = await this.#once(request, false);
    return idleClosed && !this.#closed ? (await this.#once(request, true)).result : result;
  }

  /** As `exchange`, for queries before a measurement. @throws SO5101, SO5103 without a response */
  async query(request: HttpRequest): Promise<ServerResponse> {
    const response = await this.exchange(request);
    if (isFailure(response)) throw failedExchange(this.#transport.url.address, response);
    return response;
  }

  readonly close = (): void => {
    this.#closed = true;
    this.#transport.connections.delete(this.close);
    this.#current?.destroy();
    this.#agent.destroy();
  };

  #once(request: HttpRequest, retried: boolean): Promise<{ result: ServerResponse | Failure; idleClosed: boolean }> {
    const { url, headers, maximumResponseBytes, pool } = this.#transport;
    return new Promise((resolve) => {
      let responded = false;
      let failure: Failure | undefined;
      const limit = request.timeoutMs ?? defaultLimitMs(this.#transport);
      const maximumBytes = request.maximumBytes ?? (request.method === 'GET' ? METADATA_BYTES : maximumResponseBytes);
      const end = (result: ServerResponse | Failure): void => {
        clearTimeout(timer);
        if (this.#current === outgoing) this.#current = undefined;
        const idleClosed =
          !retried && !responded && failure === undefined && outgoing.reusedSocket && 'failure' in result;
        resolve({ result: this.#closed && 'failure' in result ? CLOSED : result, idleClosed });
      };
      const stop = (reason: Failure): void => {
        failure = reason;
        outgoing.destroy();
        end(reason);
      };
      const outgoing = this.#request({
        agent: this.#agent,
        host: url.host,
        port: url.port,
        method: request.method,
        path: `${url.prefix}${request.path}`,
        maxHeaderSize: HEADER_BYTES,
        insecureHTTPParser: false,
        headers: {
          'accept-encoding': 'identity',
          ...headers,
          ...request.headers,
          ...(request.method === 'POST' ? { 'content-length': String(request.body?.byteLength ?? 0) } : {}),
        },
      });
      const timer = setTimeout(
        () => stop({ failure: 'timeout', why: `no complete response within ${limit} ms` }),
        limit,
      );
      this.#current = outgoing;
      outgoing.on('error', (cause) => {
        const found = failureOf(cause);
        end(failure ?? (responded && found.failure === 'connection reset' ? CUT_OFF : found));
      });
      let informational = 0;
      outgoing.on('information', () => {
        if (++informational > INFORMATIONAL_RESPONSES) {
          stop({ failure: 'protocol error', why: `it sends more than ${INFORMATIONAL_RESPONSES} responses 1xx` });
        }
      });
      outgoing.on('upgrade', (_message, socket) => {
        socket.destroy();
        stop({ failure: 'protocol error', why: 'it switches to another protocol' });
      });
      outgoing.on('response', (message) => {
        responded = true;
        collect(message, request, new ResponseBuffer(pool, maximumBytes, keptBytes(message)), retried, end, stop);
      });
      outgoing.end(request.body);
    });
  }
}

/** A kept connection that posts prepared requests to one path. */
export function postingConnection(transport: Transport, path: string): ServerConnection {
  const connection = new HttpConnection(transport);
  return {
    send: ({ headers, body }, timeoutMs) =>
      connection.exchange({ method: 'POST', path, headers, body, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    close: connection.close,
  };
}

const CUT_OFF: Failure = { failure: 'response cut off', why: 'the connection ended before the response was complete' };

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** Of an error only the beginning is looked at. */
function keptBytes(message: IncomingMessage): number {
  return isOk(message) ? Number.POSITIVE_INFINITY : ERROR_BYTES;
}

/** What is wrong with a response by its headers alone. */
function refusal(message: IncomingMessage, buffer: ResponseBuffer): Failure | undefined {
  const encoding = message.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return {
      failure: 'protocol error',
      why: `its response is compressed (${serverText(encoding)}), which was not requested`,
    };
  }
  return buffer.expect(Number(message.headers['content-length'] ?? 0));
}

function collect(
  message: IncomingMessage,
  request: HttpRequest,
  buffer: ResponseBuffer,
  retried: boolean,
  end: (result: ServerResponse | Failure) => void,
  stop: (failure: Failure) => void,
): void {
  const ok = isOk(message);
  const onPiece = ok ? request.onPiece : undefined;
  const refused = refusal(message, buffer);
  message.on('error', () => end(CUT_OFF));
  message.on('close', () => {
    buffer.release();
    if (!message.complete) end(CUT_OFF);
  });
  if (refused) {
    stop(refused);
    return;
  }
  message.on('data', (piece: Uint8Array) => {
    const failure = onPiece ? (buffer.count(piece.byteLength) ?? onPiece(piece)) : buffer.add(piece);
    if (failure) stop(failure);
  });
  message.on('end', () => {
    if (!message.complete) return;
    const body = buffer.bytes();
    buffer.release();
    end({ status: String(message.statusCode ?? 0), ok, header: headerOf(message), body, retried });
  });
}

/** Headers are read of few responses, so they are not copied for all. */
function headerOf(message: IncomingMessage): (name: string) => string | undefined {
  return (name) => {
    const value = message.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
}
