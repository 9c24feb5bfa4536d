/** Small servers on loopback, each closed with the test that made it. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ServerClient } from '../../src/serving/client.js';
import { type ClientOptions, openClient } from '../../src/serving/open-client.js';

export interface FakeServer {
  readonly port: number;
  readonly url: string;
  /** `METHOD path` of every request, in order. */
  readonly seen: string[];
  /** Connections that were made. */
  readonly connections: () => number;
}

export async function fakeServer(handle: RequestListener): Promise<FakeServer> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    handle(request, response);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, seen, connections: () => connections };
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

export async function client(url: string, options: Partial<ClientOptions> = {}): Promise<ServerClient> {
  return (await openClient(url, { now: () => performance.now(), ...options })).client;
}
