import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { isFailure, type ServerResponse } from './client.js';
import { defaultLimitMs, type Transport } from './http-connection.js';
import { METADATA_BYTES } from './limits.js';
import { ResponseBuffer } from './response-buffer.js';
import { CLOSED, type Failure, failedExchange, failureOf, serverText } from './server-error.js';

/** Names of gRPC's status codes by number (gRPC core documentation, "Status codes and their use in gRPC"). */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Bytes that a server may send before it must wait for us. The default of HTTP/2, 64 KiB, would pace large responses. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** Of headers, and of trailers. */
const HEADER_LIST_BYTES = 64 * 1024;
/** A deadline in `grpc-timeout` has at most eight digits. */
const MAX_DEADLINE_MS = 99_999_999;
const PREFIX_BYTES = 5;

/** Limits of a call; by default those of the transport. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly maximumBytes?: number;
}

/** A message, in pieces, with gRPC's prefix: not compressed, length. */
export function framed(...pieces: readonly Uint8Array[]): Uint8Array {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const frame = new Uint8Array(PREFIX_BYTES + byteLength);
  new DataView(frame.buffer).setUint32(1, byteLength);
  let at = PREFIX_BYTES;
  for (const piece of pieces) {
    frame.set(piece, at);
    at += piece.byteLength;
  }
  return frame;
}

/**
 * One HTTP/2 connection for unary gRPC calls, one at a time. A connection that the server has shut down (GOAWAY) is opened
 * anew; a call that the server refused unprocessed (REFUSED_STREAM) is retried once, as RFC 9113 8.7 allows.
 */
export class GrpcConnection {
  readonly #transport: Transport;
  #session: ClientHttp2Session | undefined;
  #sessionFailure: Failure | undefined;
  #fail: ((failure: Failure) => void) | undefined;
  #closed = false;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.connections.add(this.close);
  }

  /** Calls `/service/method` with a framed message. The body of the response is the message alone. */
  async call(path: string, frame: Uint8Array, options: CallOptions = {}): Promise<ServerResponse | Failure> {
    if (this.#closed) return CLOSED;
    const { timeoutMs = defaultLimitMs(this.#transport), maximumBytes = this.#transport.maximumResponseBytes } =
      options;
    const limits = { timeoutMs, maximumBytes };
    const reused = this.#usable();
    const started = performance.now();
    const { result, unprocessed } = await this.#once(path, frame, limits, false);
    if (!reused || !unprocessed || this.#closed) return result;
    // On its running clock.
    const left = Math.max(1, timeoutMs - (performance.now() - started));
    return (await this.#once(path, frame, { ...limits, timeoutMs: left }, true)).result;
  }

  /** @throws SO5101, SO5103 without a response */
  async query(path: string, message: Uint8Array): Promise<ServerResponse> {
    const response = await this.call(path, framed(message), { maximumBytes: METADATA_BYTES });
    if (isFailure(response)) throw failedExchange(this.#transport.url.address, response);
    return response;
  }

  readonly close = (): void => {
    this.#closed = true;
    this.#transport.connections.delete(this.close);
    this.#fail?.(CLOSED);
    this.#session?.destroy();
  };

  #usable(): boolean {
    return this.#session !== undefined && !this.#session.closed && !this.#session.destroyed;
  }

  #open(): ClientHttp2Session {
    if (this.#session && this.#usable()) return this.#session;
    const { secure, address } = this.#transport.url;
    // One that was shut down waits for its last stream: nobody does any more.
    this.#session?.destroy();
    const session = connect(`${secure ? 'https' : 'http'}://${address}`, {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false, maxHeaderListSize: HEADER_LIST_BYTES },
    });
    this.#sessionFailure = undefined;
    session.on('connect', () => {
      // The socket may be gone already, and the window with it.
      if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES);
    });
    session.on('error', (cause) => {
      this.#sessionFailure = failureOf(cause);
      this.#fail?.(this.#sessionFailure);
    });
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }

  #once(
    path: string,
    frame: Uint8Array,
    { timeoutMs, maximumBytes }: Required<CallOptions>,
    retried: boolean,
  ): Promise<{ readonly result: ServerResponse | Failure; readonly unprocessed: boolean }> {
    return new Promise((resolve) => {
      let done = false;
      let stream: ClientHttp2Stream | undefined;
      const end = (result: ServerResponse | Failure, unprocessed = false): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        this.#fail = undefined;
        if ('failure' in result) stream?.close(constants.NGHTTP2_CANCEL);
        resolve({ result, unprocessed });
      };
      this.#fail = (failure) => end(failure);
      const timer = setTimeout(() => {
        end({ failure: 'timeout', why: `no complete response within ${Math.ceil(timeoutMs)} ms` });
        // A connection that has not come about by now is not waited for by the next call.
        if (this.#session?.connecting) this.#session.destroy();
      }, timeoutMs);
      try {
        stream = this.#open().request({
          ...this.#transport.headers,
          ':method': 'POST',
          ':path': path,
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-accept-encoding': 'identity',
          'grpc-timeout': `${Math.max(1, Math.min(MAX_DEADLINE_MS, Math.ceil(timeoutMs)))}m`,
        });
      } catch (cause) {
        // The session closed since it was looked up.
        end(failureOf(cause), true);
        return;
      }
      const buffer = new ResponseBuffer(this.#transport.pool, maximumBytes + PREFIX_BYTES);
      listen(stream, buffer, retried, end, () => this.#sessionFailure);
      stream.end(frame);
    });
  }
}

function listen(
  stream: ClientHttp2Stream,
  buffer: ResponseBuffer,
  retried: boolean,
  end: (result: ServerResponse | Failure, unprocessed?: boolean) => void,
  sessionFailure: () => Failure | undefined,
): void {
  const fields = new Map<string, string>();
  const prefix: number[] = [];
  const keep = (headers: Record<string, string | string[] | number | undefined>): void => {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) fields.set(name, String(value));
  };
  stream.on('response', (headers) => keep(headers as Record<string, string>));
  stream.on('trailers', (headers) => keep(headers as Record<string, string>));
  stream.on('data', (piece: Uint8Array) => {
    let failure = buffer.add(piece);
    if (prefix.length < PREFIX_BYTES) {
      prefix.push(...piece.subarray(0, PREFIX_BYTES - prefix.length));
      // The declared length is checked as soon as it has arrived; anything else at this point is not a gRPC message.
      if (prefix.length === PREFIX_BYTES && prefix[0] === 0)
        failure ??= buffer.expect(Buffer.from(prefix).readUInt32BE(1) + PREFIX_BYTES);
    }
    if (failure) end(failure);
  });
  stream.on('error', (cause) => end(sessionFailure() ?? failureOf(cause), isUnprocessed(stream)));
  stream.on('close', () => {
    if (fields.has('grpc-status')) end(responseOf(fields, buffer, retried));
    else end(missingStatus(fields, sessionFailure()), isUnprocessed(stream));
    buffer.release();
  });
}

function isUnprocessed(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}

/** A call that ended without gRPC's status. */
function missingStatus(fields: ReadonlyMap<string, string>, sessionFailure: Failure | undefined): Failure {
  const status = fields.get(':status');
  if (status === undefined) {
    return sessionFailure ?? { failure: 'connection reset', why: 'the connection was closed before a response' };
  }
  if (status === '200' && /^application\/grpc/.test(fields.get('content-type') ?? '')) {
    return { failure: 'response cut off', why: 'the call ended without a status' };
  }
  return {
    failure: 'protocol error',
    why: `it responds with HTTP status ${status} and no gRPC status`,
    hint: 'is this the gRPC port?',
  };
}

function responseOf(
  fields: ReadonlyMap<string, string>,
  buffer: ResponseBuffer,
  retried: boolean,
): ServerResponse | Failure {
  const code = Number(fields.get('grpc-status'));
  const header = (name: string): string | undefined => fields.get(name);
  const status = code === 0 ? 'gRPC OK' : `gRPC ${STATUS_NAMES[code] ?? 'with an unknown status'}`;
  if (code !== 0) return { status, ok: false, header, body: new Uint8Array(0), retried };
  const bytes = buffer.bytes();
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = body.byteLength >= PREFIX_BYTES ? body.readUInt32BE(1) : undefined;
  if (length === undefined || length > body.byteLength - PREFIX_BYTES) {
    return { failure: 'response cut off', why: `its message ends after ${body.byteLength} bytes` };
  }
  if (body[0] !== 0 || length !== body.byteLength - PREFIX_BYTES) {
    return { failure: 'protocol error', why: 'it is not one uncompressed message' };
  }
  return { status, ok: true, header, body: body.subarray(PREFIX_BYTES), retried };
}

/** The message of a gRPC status (percent-encoded UTF-8). */
export function grpcMessage(response: ServerResponse): string {
  const text = response.header('grpc-message') ?? '';
  try {
    return serverText(decodeURIComponent(text));
  } catch {
    return serverText(text);
  }
}
