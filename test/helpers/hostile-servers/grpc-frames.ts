/** Frames of HTTP/2 that no server should send. */
import { createServer, type Socket } from 'node:net';
import { type HostileServerKind, listen, pour } from './kind.js';

const NOTHING = new Uint8Array(0);

/** A frame of HTTP/2. */
function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array = NOTHING): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = http2Frame(4, 0, 0);
const PING = http2Frame(6, 0, 0, Buffer.alloc(8));

/** Frames instead of a server; `use` gets the socket when the client has spoken. */
function frames(name: string, use: (socket: Socket) => void): HostileServerKind {
  return {
    name: `v2-grpc: a connection that ${name}`,
    start: () =>
      listen(
        createServer((socket) => {
          socket.once('data', () => use(socket));
          socket.resume();
        }),
        (port) => `grpc://127.0.0.1:${port}/double`,
      ),
  };
}

/** `:status 200` of the static table of HPACK, then `content-type: application/grpc` as a literal. */
const HEADERS = Buffer.concat([Buffer.from([0x88, 0x0f, 0x10, 16]), Buffer.from('application/grpc')]);

export const GRPC_FRAME_SERVERS: readonly HostileServerKind[] = [
  frames('says nothing', () => undefined),
  frames('closes', (socket) => socket.destroy()),
  frames('resets', (socket) => socket.resetAndDestroy()),
  frames('speaks HTTP/1.1', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
  frames('speaks something else', (socket) => socket.end('220 mail.example ESMTP\r\n')),
  frames('sends nothing but settings', (socket) => socket.write(SETTINGS)),
  frames('sends settings without end', (socket) =>
    pour(socket, Buffer.concat(Array.from({ length: 1000 }, () => SETTINGS))),
  ),
  frames('sends pings without end', (socket) =>
    pour(socket, Buffer.concat([SETTINGS, ...Array.from({ length: 1000 }, () => PING)])),
  ),
  frames('drips settings', (socket) => pour(socket, SETTINGS, 40)),
  frames('sends a frame of 16 MB', (socket) => {
    socket.write(SETTINGS);
    socket.write(http2Frame(0, 0, 1, Buffer.alloc(16_000_000)));
  }),
  frames('sends data nobody asked for', (socket) => {
    socket.write(SETTINGS);
    socket.write(http2Frame(0, 0, 7, Buffer.alloc(100)));
  }),
  frames('sends headers that are not packed as they should be', (socket) =>
    socket.write(Buffer.concat([SETTINGS, http2Frame(1, 4, 1, Buffer.alloc(50, 0xff))])),
  ),
  frames('sends continued headers without end', (socket) => {
    socket.write(Buffer.concat([SETTINGS, http2Frame(1, 0, 1, HEADERS)]));
    const header = Buffer.concat([Buffer.from([0, 3]), Buffer.from('x-y'), Buffer.from([4]), Buffer.from('abcd')]);
    pour(socket, http2Frame(9, 0, 1, Buffer.concat(Array.from({ length: 500 }, () => header))));
  }),
  frames('sends empty data without end', (socket) => {
    socket.write(Buffer.concat([SETTINGS, http2Frame(1, 4, 1, HEADERS)]));
    pour(socket, Buffer.concat(Array.from({ length: 1000 }, () => http2Frame(0, 0, 1))));
  }),
  frames('sends data of one byte without end', (socket) => {
    socket.write(Buffer.concat([SETTINGS, http2Frame(1, 4, 1, HEADERS)]));
    pour(socket, Buffer.concat(Array.from({ length: 1000 }, () => http2Frame(0, 0, 1, Buffer.alloc(1)))));
  }),
  frames('resets streams without end', (socket) => {
    socket.write(SETTINGS);
    pour(socket, Buffer.concat(Array.from({ length: 1000 }, () => http2Frame(3, 0, 1, Buffer.from([0, 0, 0, 8])))));
  }),
  frames('promises pushes without end', (socket) => {
    socket.write(SETTINGS);
    let id = 2;
    const timer = setInterval(() => {
      if (socket.destroyed) return clearInterval(timer);
      for (let i = 0; i < 100; i++) {
        const promised = Buffer.alloc(4);
        promised.writeUInt32BE(id);
        id += 2;
        socket.write(http2Frame(5, 4, 1, Buffer.concat([promised, Buffer.from([0x82, 0x84, 0x86, 0x41, 1, 0x78])])));
      }
    }, 5);
    timer.unref();
  }),
  frames('goes away at once', (socket) =>
    socket.write(Buffer.concat([SETTINGS, http2Frame(7, 0, 0, Buffer.alloc(8))])),
  ),
  frames('opens no window', (socket) =>
    // SETTINGS_INITIAL_WINDOW_SIZE 0: the request can never be sent.
    socket.write(http2Frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))),
  ),
  frames('widens its window too far', (socket) =>
    socket.write(
      Buffer.concat([
        SETTINGS,
        ...Array.from({ length: 4 }, () => http2Frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
      ]),
    ),
  ),
];
