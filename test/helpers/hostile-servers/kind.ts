/** Servers that do their worst, for tests: only on loopback, bounded in connections, bytes and lifetime. */
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';

/** One way in which a server can misbehave. */
export interface HostileServerKind {
  /** A sentence; its first words are the protocol. */
  readonly name: string;
  /** Starts the server. The caller closes it. */
  readonly start: () => Promise<HostileServer>;
  /** Arguments of `bench` besides `--url` and limits of time. */
  readonly args?: readonly string[];
  /** Exit codes that are right; by default just 1. */
  readonly exitCodes?: readonly number[];
  /** Codes of errors that are right; by default SO5101 to SO5104. */
  readonly errorCodes?: readonly string[];
  /** Must not occur in any output: what the server says back of what it was sent. */
  readonly secret?: string;
}

export interface HostileServer {
  /** For `bench --url`. */
  readonly url: string;
  /** Requests or connections seen so far. */
  readonly seen: () => number;
  close(): Promise<void>;
}

/** A server that nobody closes ends by itself. */
const LIFETIME_MS = 120_000;
const MOST_CONNECTIONS = 64;
/** A server that sends without end stops after so much. */
export const MOST_BYTES = 4 * 1024 ** 3;

/** Listens on a free port of 127.0.0.1; `urlOf` makes the URL from the port. */
export async function listen(server: NetServer, urlOf: (port: number) => string): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  let seen = 0;
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    seen++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  const timer = setTimeout(() => void close(), LIFETIME_MS);
  timer.unref();
  return { url: urlOf((server.address() as AddressInfo).port), seen: () => seen, close };
}

/** Writes `piece` again and again for as long as somebody reads. */
export function pour(socket: Socket, piece: Uint8Array | string, every?: number): void {
  const bytes = Buffer.from(piece as string);
  let sent = 0;
  if (every !== undefined) {
    const timer = setInterval(() => {
      if (socket.destroyed) clearInterval(timer);
      else socket.write(bytes);
    }, every);
    timer.unref();
    return;
  }
  const more = (): void => {
    if (socket.destroyed || sent > MOST_BYTES) return;
    sent += bytes.length;
    if (socket.write(bytes)) setImmediate(more);
    else socket.once('drain', more);
  };
  more();
}
