import { defaultLimitMs, type Transport } from './http-connection.js';
import { DEFAULT_RESPONSE_BYTES, POOL_BYTES } from './limits.js';
import { LiveConnections } from './live-connections.js';
import { awaitNameService } from './name-service.js';
import { ResponsePool } from './response-buffer.js';
import { failedExchange } from './server-error.js';
import type { ServerUrl } from './server-url.js';

export interface TransportOptions {
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For one response; default 30 s. */
  readonly timeoutMs?: number;
  /** Default 256 MiB. */
  readonly maximumResponseBytes?: number;
  /** Time left for what precedes the measurement, in ms; default: just the timeout of each request. */
  readonly remainingMs?: (() => number) | undefined;
  /** Closes every connection. */
  readonly signal?: AbortSignal | undefined;
}

/** For one response. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** What connections to a server share. @throws SO5101 where the name of the host is not known */
export async function openTransport(url: ServerUrl, options: TransportOptions): Promise<Transport> {
  const transport: Transport = {
    url,
    headers: options.headers ?? {},
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    maximumResponseBytes: options.maximumResponseBytes ?? DEFAULT_RESPONSE_BYTES,
    pool: new ResponsePool(Math.max(POOL_BYTES, options.maximumResponseBytes ?? 0)),
    remainingMs: options.remainingMs,
    connections: new LiveConnections(options.signal),
  };
  const failure = await awaitNameService(url.host, defaultLimitMs(transport), transport.connections);
  if (failure === undefined) return transport;
  transport.connections.close();
  throw failedExchange(url.address, failure);
}
