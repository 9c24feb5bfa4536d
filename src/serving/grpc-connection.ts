import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Answer, isFailure } from './client.js';
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

/** Bytes that a server may send before it must wait for us. The default of HTTP/2, 64 KiB, would pace large answers. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** Of headers, and of trailers. */
const HEADER_LIST_BYTES = 64 * 1024;
/** A deadline in `grpc-timeout` has at most eight digits. */
const LONGEST_DEADLINE_MS = 99_999_999;
const PREFIX_BYTES = 5;

/** What a call may take; by default as the transport says. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly maximumBytes?: number;
}

/** A message with gRPC's prefix: not compressed, length. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.byteLength);
  new DataView(frame.buffer).setUint32(1, message.byteLength);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * One HTTP/2 connection for unary gRPC calls, one at a time. A connection that the server has shut down (GOAWAY) is opened
 * anew; a call that it refused unseen (REFUSED_STREAM) is sent once more, as RFC 9113 8.7 allows.
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

  /** Calls `/service/method` with a framed message. The body of the answer is the message alone. */
  async call(path: string, frame: Uint8Array, options: CallOptions = {}): Promise<Answer | Failure> {
    if (this.#closed) return CLOSED;
    const { timeoutMs = defaultLimitMs(this.#transport), maximumBytes = this.#transport.maximumAnswerBytes } = options;
    const limits = { timeoutMs, maximumBytes };
    const reused = this.#usable();
    const started = performance.now();
    const { result, unseen } = await this.#once(path, frame, limits, false);
    if (!reused || !unseen || this.#closed) return result;
    // On its running clock.
    const left = Math.max(1, timeoutMs - (performance.now() - started));
    return (await this.#once(path, frame, { ...limits, timeoutMs: left }, true)).result;
  }

  /** @throws SO5101, SO5103 without an answer */
  async ask(path: string, message: Uint8Array): Promise<Answer> {
    const answer = await this.call(path, framed(message), { maximumBytes: METADATA_BYTES });
    if (isFailure(answer)) throw failedExchange(this.#transport.url.place, answer);
    return answer;
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
    const { secure, place } = this.#transport.url;
    // One that was shut down waits for its last stream: nobody does any more.
    this.#session?.destroy();
    const session = connect(`${secure ? 'https' : 'http'}://${place}`, {
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
    sentAgain: boolean,
  ): Promise<{ readonly result: Answer | Failure; readonly unseen: boolean }> {
    return new Promise((resolve) => {
      let done = false;
      let stream: ClientHttp2Stream | undefined;
      const end = (result: Answer | Failure, unseen = false): void => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        this.#fail = undefined;
        if ('failure' in result) stream?.close(constants.NGHTTP2_CANCEL);
        resolve({ result, unseen });
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
          'grpc-timeout': `${Math.max(1, Math.min(LONGEST_DEADLINE_MS, Math.ceil(timeoutMs)))}m`,
        });
      } catch (cause) {
        // A session that closed between the question and now.
        end(failureOf(cause), true);
        return;
      }
      const buffer = new ResponseBuffer(this.#transport.pool, maximumBytes + PREFIX_BYTES);
      listen(stream, buffer, sentAgain, end, () => this.#sessionFailure);
      stream.end(frame);
    });
  }
}

function listen(
  stream: ClientHttp2Stream,
  buffer: ResponseBuffer,
  sentAgain: boolean,
  end: (result: Answer | Failure, unseen?: boolean) => void,
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
      // The length that is promised is looked at as soon as it is there; what begins otherwise is no message of gRPC.
      if (prefix.length === PREFIX_BYTES && prefix[0] === 0)
        failure ??= buffer.expect(Buffer.from(prefix).readUInt32BE(1) + PREFIX_BYTES);
    }
    if (failure) end(failure);
  });
  stream.on('error', (cause) => end(sessionFailure() ?? failureOf(cause), isUnseen(stream)));
  stream.on('close', () => {
    if (fields.has('grpc-status')) end(answerOf(fields, buffer, sentAgain));
    else end(noStatus(fields, sessionFailure()), isUnseen(stream));
    buffer.release();
  });
}

function isUnseen(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}

/** A call that ended without gRPC's status. */
function noStatus(fields: ReadonlyMap<string, string>, sessionFailure: Failure | undefined): Failure {
  const status = fields.get(':status');
  if (status === undefined) {
    return sessionFailure ?? { failure: 'connection reset', why: 'the connection was closed before an answer' };
  }
  if (status === '200' && /^application\/grpc/.test(fields.get('content-type') ?? '')) {
    return { failure: 'answer cut off', why: 'the call ended without a status' };
  }
  return {
    failure: 'not the protocol',
    why: `it answers HTTP status ${status} without a gRPC status`,
    hint: 'is this the gRPC port?',
  };
}

function answerOf(fields: ReadonlyMap<string, string>, buffer: ResponseBuffer, sentAgain: boolean): Answer | Failure {
  const code = Number(fields.get('grpc-status'));
  const header = (name: string): string | undefined => fields.get(name);
  const status = code === 0 ? 'gRPC OK' : `gRPC ${STATUS_NAMES[code] ?? 'with an unknown status'}`;
  if (code !== 0) return { status, good: false, header, body: new Uint8Array(0), sentAgain };
  const bytes = buffer.bytes();
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = body.byteLength >= PREFIX_BYTES ? body.readUInt32BE(1) : undefined;
  if (length === undefined || length > body.byteLength - PREFIX_BYTES) {
    return { failure: 'answer cut off', why: `its message ends after ${body.byteLength} bytes` };
  }
  if (body[0] !== 0 || length !== body.byteLength - PREFIX_BYTES) {
    return { failure: 'not the protocol', why: 'it is not one uncompressed message' };
  }
  return { status, good: true, header, body: body.subarray(PREFIX_BYTES), sentAgain };
}

/** The words of a gRPC status (percent-encoded UTF-8). */
export function grpcMessage(answer: Answer): string {
  const text = answer.header('grpc-message') ?? '';
  try {
    return serverText(decodeURIComponent(text));
  } catch {
    return serverText(text);
  }
}
