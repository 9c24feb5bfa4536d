import { type ErrorCode, ServeOptError } from '../errors.js';

/** Why an exchange gave no response; also the status that it is counted under. */
export type FailureKind =
  | 'unreachable'
  | 'connection reset'
  | 'timeout'
  | 'response too large'
  | 'response cut off'
  | 'protocol error'
  | 'closed';

/** No response arrived. Plain data: under load this is counted, not thrown. */
export interface Failure {
  readonly failure: FailureKind;
  /** What happened, one clause. */
  readonly why: string;
  readonly hint?: string;
}

/** A connection that was closed here. */
export const CLOSED: Failure = { failure: 'closed', why: 'the measurement ended' };

/** Longest piece of a server's text in a message. */
const MAX_TEXT = 300;

/** Text of a server, on one line, without control characters, cut. Of an HTML page just the text. */
export function serverText(text: string): string {
  const shown = text.slice(0, MAX_TEXT * 4);
  const isPage = /^\s*<(!doctype|html)\b/i.test(shown);
  const line = (isPage ? shown.replace(/<(style|script)\b.*?(<\/\1>|$)|<[^>]*(>|$)/gis, ' ') : shown)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1)}…`;
}

/** Messages for the codes of system, TLS and HTTP errors: what happened, and what to do. */
const CAUSES: ReadonlyMap<string, { readonly why: string; readonly hint?: string; readonly kind?: FailureKind }> =
  new Map([
    ['ECONNREFUSED', { why: 'nothing listens on this port', hint: 'start the server, or check host and port' }],
    ['ENOTFOUND', { why: 'the host does not exist', hint: 'check the name in the URL' }],
    [
      'EAI_AGAIN',
      { why: 'the name of the host cannot be resolved at the moment', hint: 'check the network and the name' },
    ],
    ['EHOSTUNREACH', { why: 'there is no route to the host' }],
    ['ENETUNREACH', { why: 'there is no route to its network' }],
    ['ETIMEDOUT', { why: 'the connection timed out', hint: 'check host, port and firewall' }],
    ['EMFILE', { why: 'too many connections are open here', hint: 'raise `ulimit -n`, or use fewer connections' }],
    ['EADDRNOTAVAIL', { why: 'no local port is free', hint: 'use fewer connections' }],
    ['EPROTO', { why: 'the TLS handshake failed', hint: 'does the server use TLS? If not, use http:// or grpc://' }],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      { why: 'the server does not use TLS on this port', hint: 'use http:// or grpc://' },
    ],
    ['CERT_HAS_EXPIRED', { why: 'its certificate has expired' }],
    ['ERR_TLS_CERT_ALTNAME_INVALID', { why: 'its certificate is for another name' }],
    ['ECONNRESET', { why: 'the connection was reset', kind: 'connection reset' }],
    ['EPIPE', { why: 'the connection was closed while the request was sent', kind: 'connection reset' }],
    ['HPE_HEADER_OVERFLOW', { why: 'its headers are too large', kind: 'protocol error' }],
  ]);

const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY|GET)\w*)$/;

const RESET_HINT = 'is it the right port? A server with TLS is given as https:// or grpcs://';
const TIMEOUT_HINT = 'is it the right port? --timeout 2min waits longer';
const RESET: Failure = { failure: 'connection reset', why: 'the connection was closed before a response' };

/** The failure that an error of a socket, of TLS or of the HTTP parser stands for. */
export function failureOf(cause: unknown): Failure {
  const inner = cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause;
  const code = String((inner as NodeJS.ErrnoException | undefined)?.code ?? '');
  const row = CAUSES.get(code);
  if (row) {
    const { kind = 'unreachable', why, hint } = row;
    return { failure: kind, why, ...(hint === undefined ? {} : { hint }) };
  }
  if (UNTRUSTED.test(code)) {
    return {
      failure: 'unreachable',
      why: 'its certificate is not trusted here',
      hint: 'NODE_EXTRA_CA_CERTS=ca.pem names the authority that signed it',
    };
  }
  if (code === 'ERR_HTTP2_STREAM_CANCEL' || code === 'ERR_HTTP2_SESSION_ERROR') {
    // Node's error for what happened to the connection below.
    const below = (inner as Error).cause;
    return below === undefined || below === inner ? RESET : failureOf(below);
  }
  if (code.startsWith('HPE_')) {
    return {
      failure: 'protocol error',
      why: `its response is not HTTP/1.1 (${code})`,
      hint: 'a gRPC port is given as grpc://HOST:PORT',
    };
  }
  if (code.startsWith('ERR_HTTP2')) {
    return {
      failure: 'protocol error',
      why: `its response is not HTTP/2 (${code})`,
      hint: 'an HTTP port is given as http://HOST:PORT',
    };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return { failure: 'unreachable', why: `the TLS handshake failed (${code})` };
  }
  return { failure: 'connection reset', why: serverText(inner instanceof Error ? inner.message : String(inner)) };
}

const CODES: ReadonlyMap<FailureKind, ErrorCode> = new Map([
  ['response too large', 'SO5103'],
  ['response cut off', 'SO5103'],
  ['protocol error', 'SO5103'],
]);

const HINTS: ReadonlyMap<FailureKind, string> = new Map([
  ['connection reset', RESET_HINT],
  ['timeout', TIMEOUT_HINT],
]);

/** The error of a failed exchange with `address`, which is host:port. */
export function failedExchange(address: string, failure: Failure): ServeOptError {
  if (failure.failure === 'closed') return new ServeOptError('SO8130', 'Interrupted');
  const code = CODES.get(failure.failure) ?? 'SO5101';
  const message =
    code === 'SO5101'
      ? `The server at ${address} cannot be reached`
      : `The server at ${address} gave an invalid response`;
  const hint = failure.hint ?? HINTS.get(failure.failure);
  return new ServeOptError(code, message, { why: failure.why, ...(hint === undefined ? {} : { hint }) });
}

/** SO5103: the response violates the protocol. */
export function malformed(what: string, why?: string): ServeOptError {
  return new ServeOptError('SO5103', what, why === undefined ? {} : { why });
}
