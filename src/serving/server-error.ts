import { type ErrorCode, ServeOptError } from '../errors.js';

/** What kept an exchange from giving an answer; also the status that it is counted under. */
export type FailureKind =
  | 'unreachable'
  | 'connection reset'
  | 'timeout'
  | 'answer too large'
  | 'answer cut off'
  | 'not the protocol'
  | 'closed';

/** No answer came. Plain data: under load this is counted, not thrown. */
export interface Failure {
  readonly failure: FailureKind;
  /** What happened, one clause. */
  readonly why: string;
  readonly hint?: string;
}

/** A connection that was closed here. */
export const CLOSED: Failure = { failure: 'closed', why: 'the measurement ended' };

/** Longest piece of a server's own words in a message. */
const MOST_TEXT = 300;

/** What a server said, on one line, without control characters, cut. Of a page of HTML just the words. */
export function serverText(text: string): string {
  const said = text.slice(0, MOST_TEXT * 4);
  const isPage = /^\s*<(!doctype|html)\b/i.test(said);
  const line = (isPage ? said.replace(/<(style|script)\b.*?(<\/\1>|$)|<[^>]*(>|$)/gis, ' ') : said)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= MOST_TEXT ? line : `${line.slice(0, MOST_TEXT - 1)}…`;
}

/** Words for the codes of system, TLS and HTTP errors: what, and what to do. */
const CAUSES: ReadonlyMap<string, { readonly why: string; readonly hint?: string; readonly kind?: FailureKind }> =
  new Map([
    ['ECONNREFUSED', { why: 'nothing listens there', hint: 'start the server, or check host and port' }],
    ['ENOTFOUND', { why: 'there is no such host', hint: 'check the name in the URL' }],
    ['EAI_AGAIN', { why: 'the name of the host cannot be resolved now', hint: 'check the network and the name' }],
    ['EHOSTUNREACH', { why: 'no way leads to the host' }],
    ['ENETUNREACH', { why: 'no way leads to its network' }],
    ['ETIMEDOUT', { why: 'no connection came about in time', hint: 'check host, port and firewall' }],
    ['EMFILE', { why: 'too many connections are open here', hint: 'raise `ulimit -n`, or use fewer connections' }],
    ['EADDRNOTAVAIL', { why: 'no local port is free any more', hint: 'use fewer connections' }],
    ['EPROTO', { why: 'no TLS connection came about', hint: 'does the server speak TLS? Else use http:// or grpc://' }],
    ['ERR_SSL_WRONG_VERSION_NUMBER', { why: 'the server does not speak TLS there', hint: 'use http:// or grpc://' }],
    ['CERT_HAS_EXPIRED', { why: 'its certificate has expired' }],
    ['ERR_TLS_CERT_ALTNAME_INVALID', { why: 'its certificate is for another name' }],
    ['ECONNRESET', { why: 'the connection was reset', kind: 'connection reset' }],
    ['EPIPE', { why: 'the connection was closed while the request was sent', kind: 'connection reset' }],
    ['HPE_HEADER_OVERFLOW', { why: 'its headers are too large', kind: 'not the protocol' }],
  ]);

const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY|GET)\w*)$/;

const RESET_HINT = 'is it the right port? A server with TLS is given as https:// or grpcs://';
const TIMEOUT_HINT = 'is it the right port? --timeout 2min waits longer';
const RESET: Failure = { failure: 'connection reset', why: 'the connection was closed before an answer' };

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
    // Node's word for what happened to the connection below.
    const below = (inner as Error).cause;
    return below === undefined || below === inner ? RESET : failureOf(below);
  }
  if (code.startsWith('HPE_')) {
    return {
      failure: 'not the protocol',
      why: `it does not answer in HTTP/1.1 (${code})`,
      hint: 'a gRPC port is given as grpc://HOST:PORT',
    };
  }
  if (code.startsWith('ERR_HTTP2')) {
    return {
      failure: 'not the protocol',
      why: `it does not answer in HTTP/2 (${code})`,
      hint: 'an HTTP port is given as http://HOST:PORT',
    };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return { failure: 'unreachable', why: `no TLS connection came about (${code})` };
  }
  return { failure: 'connection reset', why: serverText(inner instanceof Error ? inner.message : String(inner)) };
}

const CODES: ReadonlyMap<FailureKind, ErrorCode> = new Map([
  ['answer too large', 'SO5103'],
  ['answer cut off', 'SO5103'],
  ['not the protocol', 'SO5103'],
]);

const HINTS: ReadonlyMap<FailureKind, string> = new Map([
  ['connection reset', RESET_HINT],
  ['timeout', TIMEOUT_HINT],
]);

/** The error of a failed exchange with `place`, which is host and port. */
export function failedExchange(place: string, failure: Failure): ServeOptError {
  if (failure.failure === 'closed') return new ServeOptError('SO8130', 'Interrupted');
  const code = CODES.get(failure.failure) ?? 'SO5101';
  const message =
    code === 'SO5101'
      ? `The server at ${place} cannot be reached`
      : `The server at ${place} does not answer as it should`;
  const hint = failure.hint ?? HINTS.get(failure.failure);
  return new ServeOptError(code, message, { why: failure.why, ...(hint === undefined ? {} : { hint }) });
}

/** SO5103: the answer is not what the protocol says. */
export function malformed(what: string, why?: string): ServeOptError {
  return new ServeOptError('SO5103', what, why === undefined ? {} : { why });
}
