/** The least of HTTP/1.1 that lets a server of bare sockets do as it likes with each response. */
import { createServer, type Socket } from 'node:net';
import { type HostileServer, listen } from './kind.js';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly socket: Socket;
}

/** Calls `use` with each request, one after the other. */
export function rawHttpServer(use: (request: RawRequest) => void, path = ''): Promise<HostileServer> {
  const server = createServer((socket) => {
    let held = Buffer.alloc(0);
    socket.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece]);
      for (;;) {
        const end = held.indexOf('\r\n\r\n');
        if (end < 0) return;
        const [first = '', ...lines] = held.subarray(0, end).toString('latin1').split('\r\n');
        const headers = new Map(
          lines.map((line): [string, string] => {
            const colon = line.indexOf(':');
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
          }),
        );
        const length = Number(headers.get('content-length') ?? 0);
        if (held.length < end + 4 + length) return;
        const body = held.subarray(end + 4, end + 4 + length);
        held = held.subarray(end + 4 + length);
        const [method = '', url = ''] = first.split(' ');
        use({ method, path: url, headers, body, socket });
      }
    });
  });
  return listen(server, (port) => `http://127.0.0.1:${port}${path}`);
}

/** A sound response. */
export function respond(
  socket: Socket,
  body: string | Uint8Array,
  headers: readonly string[] = [],
  status = '200 OK',
): void {
  const bytes = Buffer.from(body as string);
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`];
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]));
}

export const JSON_TYPE = 'Content-Type: application/json';

export function respondJson(socket: Socket, value: unknown, status = '200 OK'): void {
  respond(socket, JSON.stringify(value), [JSON_TYPE], status);
}
