import { getEventListeners } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isFailure } from '../../src/serving/client.js';
import { DataType } from '../../src/tensor/dtype.js';
import { client, fakeServer } from './fake-server.js';
import { v2Server } from './v2-server.js';

const FEEDS = new Map([['x', { dataType: DataType.FLOAT, dims: [1, 2], data: Float32Array.of(1, 2) }]]);

/** Statuses of so many requests on one connection, the first one with a time limit of its own. */
async function statuses(url: string, count: number, firstTimeoutMs?: number): Promise<string[]> {
  const opened = await client(`${url}/v2/models/double`, { protocol: 'v2-http', maximumResponseBytes: 100_000 });
  const connection = opened.connect();
  const request = await opened.prepare(FEEDS);
  const found: string[] = [];
  for (let index = 0; index < count; index++) {
    const response = await connection.send(request, index === 0 ? firstTimeoutMs : undefined);
    found.push(isFailure(response) ? response.failure : `${response.status}${response.retried ? ' again' : ''}`);
  }
  connection.close();
  return found;
}

/** A server of bare sockets. */
async function socketServer(use: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    use(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('a server that fails', () => {
  it.each([500, 503, 429, 404])('with status %i', async (status) => {
    const server = await v2Server({
      infer: (_, response) => {
        response.writeHead(status).end('no');
        return true;
      },
    });
    expect(await statuses(server.url, 2)).toEqual([String(status), String(status)]);
    expect(server.connections()).toBe(1);
  });

  it('by a reset in the middle of a response', async () => {
    const server = await v2Server({
      infer: (_, response, count) => {
        if (count !== 1) return false;
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half');
        setTimeout(() => response.socket?.resetAndDestroy(), 20);
        return true;
      },
    });
    expect(await statuses(server.url, 3)).toEqual(['200', 'response cut off', '200']);
  });

  it('by a chunked response that never ends properly', async () => {
    const server = await v2Server({
      infer: (_, response) => {
        response.write('{"outputs":');
        setTimeout(() => response.socket?.end(), 20);
        return true;
      },
    });
    expect(await statuses(server.url, 1)).toEqual(['response cut off']);
  });

  it('by never answering', async () => {
    const server = await v2Server({ infer: (_, __, count) => count === 0 });
    expect(await statuses(server.url, 2, 200)).toEqual(['timeout', '200']);
  });

  it('by a response that never ends', async () => {
    const server = await v2Server({
      infer: (_, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(50_000), more);
        };
        more();
        return true;
      },
    });
    expect(await statuses(server.url, 1)).toEqual(['response too large']);
  });

  it('by closing kept connections: the request is sent again and counts as good', async () => {
    const server = await v2Server({
      infer: (request, _, count) => {
        // The first request on the connection is served, the next finds it closed.
        if (count !== 1) return false;
        request.socket.destroy();
        return true;
      },
    });
    expect(await statuses(server.url, 3)).toEqual(['200', '200 again', '200']);
    expect(server.connections()).toBe(2);
  });

  it('by closing new connections: that is a failure', async () => {
    const server = await v2Server({
      infer: (request) => {
        request.socket.destroy();
        return true;
      },
    });
    expect(await statuses(server.url, 2)).toEqual(['connection reset', 'connection reset']);
    expect(server.seen.length).toBe(2);
  });

  it('by speaking something else', async () => {
    const port = await socketServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect(await statuses(`http://127.0.0.1:${port}`, 1)).toEqual(['protocol error']);
  });

  it('by not being there', async () => {
    const port = await socketServer(() => {});
    const free = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const found = (server.address() as AddressInfo).port;
        server.close(() => resolve(found));
      });
    });
    expect(free).not.toBe(port);
    const opened = await client(`http://127.0.0.1:${free}/v2/models/m`, { protocol: 'v2-http' });
    await expect(opened.describe()).rejects.toMatchObject({
      code: 'SO5101',
      exitCode: 1,
      message: `The server at 127.0.0.1:${free} cannot be reached`,
      why: 'nothing listens on this port',
      hint: expect.stringContaining('start the server'),
    });
    const grpc = await client(`grpc://127.0.0.1:${free}/m`);
    await expect(grpc.describe()).rejects.toMatchObject({ code: 'SO5101', why: 'nothing listens on this port' });
  });

  it('by having no name', async () => {
    const opened = await client('http://no-such-host.invalid/v2/models/m', { protocol: 'v2-http' });
    await expect(opened.describe()).rejects.toMatchObject({ code: 'SO5101', why: expect.stringContaining('host') });
  });

  it('by speaking no TLS', async () => {
    const server = await v2Server();
    const opened = await client(`https://127.0.0.1:${server.port}/v2/models/m`, { protocol: 'v2-http' });
    await expect(opened.describe()).rejects.toMatchObject({ code: 'SO5101', hint: expect.stringContaining('http://') });
  });

  it('whose protocol cannot be told', async () => {
    const server = await fakeServer((_, response) => response.writeHead(404).end());
    await expect(client(server.url)).rejects.toMatchObject({
      code: 'SO5103',
      hint: expect.stringContaining('--protocol'),
    });
  });

  it('lets an abort end a question at once', async () => {
    const server = await fakeServer(() => {});
    const controller = new AbortController();
    const opened = await client(server.url, { protocol: 'v2-http', signal: controller.signal });
    const described = opened.describe();
    setTimeout(() => controller.abort(), 20);
    await expect(described).rejects.toMatchObject({ code: 'SO8130' });
  });

  it('costs one listener of the signal, however many connections there are', async () => {
    const server = await v2Server();
    const controller = new AbortController();
    const { signal } = controller;
    const opened = await client(`${server.url}/v2/models/double`, { protocol: 'v2-http', signal });
    const connections = Array.from({ length: 50 }, () => opened.connect());
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    controller.abort();
    expect(await connections[49]?.send(await opened.prepare(FEEDS))).toMatchObject({ failure: 'closed' });
    expect(await opened.connect().send(await opened.prepare(FEEDS))).toMatchObject({ failure: 'closed' });
  });

  it('is told from one that responses', async () => {
    // The fakes themselves are sound: a plain socket gets HTTP.
    const server = await v2Server();
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const piece of socket) text += piece;
    expect(text).toMatch(/^HTTP\/1.1 200 OK/);
  });
});
