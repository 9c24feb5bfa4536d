/** Servers of gRPC that response calls wrongly. */
import { createServer as createHttp2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import { type Bytes, concat, int, message } from '../wire.js';
import { type HostileServer, type HostileServerKind, listen, MOST_BYTES } from './kind.js';

interface Call {
  readonly method: string;
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
  readonly headers: Readonly<Record<string, unknown>>;
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const NOTHING = new Uint8Array(0);

function frame(body: Bytes, flag = 0, length = body.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

function reply({ stream }: Call, body: Uint8Array, trailers: Record<string, string> = { 'grpc-status': '0' }): void {
  stream.respond(GRPC, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

function grpcServer(use: (call: Call) => void): Promise<HostileServer> {
  const server = createHttp2Server();
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    stream.resume();
    const { session } = stream;
    if (!session) return;
    stream.on('end', () => {
      // A client that has given up meanwhile gets no response.
      if (stream.destroyed) return;
      const method = String(headers[':path']).split('/')[2] ?? '';
      use({ method, stream, session: session as ServerHttp2Session, headers });
    });
  });
  return listen(server, (port) => `grpc://127.0.0.1:${port}/double`);
}

const tensor = (field: number, name: string, type: string, shape: readonly (number | bigint)[]): Bytes =>
  message(field, message(1, name), message(2, type), ...shape.map((dim) => int(3, dim)));
const METADATA = concat(tensor(4, 'x', 'FP32', [-1, 2]), tensor(5, 'y', 'FP32', [-1, 2]));

/** Responses what precedes an inference; true when it did. */
function describeDouble(call: Call, metadata: Bytes = METADATA): boolean {
  if (call.method === 'ServerMetadata') reply(call, frame(message(1, 'hostile')));
  else if (call.method === 'ModelMetadata') reply(call, frame(metadata));
  else if (call.method === 'ModelReady') reply(call, frame(int(1, 1)));
  else if (call.method === 'RepositoryIndex') reply(call, frame(message(1, message(1, 'double'))));
  else return false;
  return true;
}

const SOUND_ANSWER = concat(tensor(5, 'y', 'FP32', [1, 2]), message(6, new Uint8Array(8)));
const SOUND_CALLS = 20;

const ATTACKS: ReadonlyMap<string, (call: Call) => void> = new Map<string, (call: Call) => void>([
  ['says nothing', () => undefined],
  ['says no more after its headers', ({ stream }) => stream.respond(GRPC)],
  [
    'ends without a status',
    ({ stream }) => {
      stream.respond(GRPC);
      stream.end();
    },
  ],
  ['has a status that is no number', (call) => reply(call, NOTHING, { 'grpc-status': 'fine' })],
  ['has the status -1', (call) => reply(call, NOTHING, { 'grpc-status': '-1' })],
  ['has a status of 1000 digits', (call) => reply(call, NOTHING, { 'grpc-status': '9'.repeat(1000) })],
  [
    'has control characters in its message',
    (call) => reply(call, NOTHING, { 'grpc-status': '13', 'grpc-message': '%1b[2J%0a::error::no%E2%80%AE%ff%' }),
  ],
  [
    'has a message of 60 kB',
    (call) => reply(call, NOTHING, { 'grpc-status': '13', 'grpc-message': 'A'.repeat(60_000) }),
  ],
  ['resets the stream', ({ stream }) => stream.close(2)],
  ['refuses the stream', ({ stream }) => stream.close(7)],
  ['ends the connection', ({ session }) => session.destroy()],
  ['goes away', ({ session }) => session.goaway(0)],
  [
    'goes away and on',
    ({ session, stream }) => {
      session.goaway(0, 0);
      stream.respond(GRPC);
    },
  ],
  ['asks to calm down', ({ session }) => session.goaway(11, 0, Buffer.from('\u001b[2Jtoo_many_pings'))],
  [
    'responses as HTTP does',
    ({ stream }) => {
      stream.respond({ ':status': 404, 'content-type': 'text/html' });
      stream.end('<html>no');
    },
  ],
  [
    'responses with status 200 of HTTP',
    ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.end('{}');
    },
  ],
  [
    'redirects',
    ({ stream }) => {
      stream.respond({ ':status': 302, location: 'http://127.0.0.1:1/' });
      stream.end();
    },
  ],
  ['sends a compressed message', (call) => reply(call, frame(Buffer.from('x'), 1))],
  [
    'promises 4 GiB',
    ({ stream }) => {
      stream.respond(GRPC);
      stream.write(frame(Buffer.from('x'), 0, 0xffffffff));
    },
  ],
  ['promises more than it sends', (call) => reply(call, frame(Buffer.from('x'), 0, 100))],
  ['sends two messages', (call) => reply(call, Buffer.concat([frame(NOTHING), frame(NOTHING)]))],
  ['sends half a prefix', (call) => reply(call, Buffer.from([0, 0]))],
  ['sends no message', (call) => reply(call, NOTHING)],
  ['sends damaged protobuf', (call) => reply(call, frame(Uint8Array.of(0x2a, 0xff, 0xff, 0xff, 0x0f, 1)))],
  ['sends groups without end', (call) => reply(call, frame(new Uint8Array(100_000).fill(0x0b)))],
  [
    'sends data without end',
    ({ stream }) => {
      stream.respond(GRPC);
      const piece = Buffer.alloc(65_536);
      let sent = 0;
      const more = (): void => {
        if (stream.destroyed || sent > MOST_BYTES) return;
        sent += piece.length;
        stream.write(piece, () => setImmediate(more));
      };
      more();
    },
  ],
  [
    'sends a byte at a time',
    ({ stream }) => {
      stream.respond(GRPC);
      stream.write(frame(NOTHING, 0, 100_000));
      const timer = setInterval(() => (stream.destroyed ? clearInterval(timer) : stream.write('x')), 40);
      timer.unref();
    },
  ],
  [
    'sends 100 trailers',
    (call) =>
      reply(call, NOTHING, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'v'.repeat(200)]))),
  ],
]);

function metadataKind(name: string, metadata: Bytes, more: Partial<HostileServerKind> = {}): HostileServerKind {
  return {
    name: `v2-grpc: metadata of ${name}`,
    start: () => grpcServer((call) => describeDouble(call, metadata) || reply(call, frame(SOUND_ANSWER))),
    exitCodes: [1, 3],
    errorCodes: ['SO5103', 'SO2104', 'SO4002'],
    ...more,
  };
}

function answerKind(name: string, response: () => Bytes): HostileServerKind {
  return {
    name: `v2-grpc: a response of ${name}`,
    start: () => {
      const bytes = frame(response());
      return grpcServer((call) => describeDouble(call) || reply(call, bytes));
    },
  };
}

export const GRPC_SERVERS: readonly HostileServerKind[] = [
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `v2-grpc: a server that ${what}`,
      start: () => grpcServer(attack),
    }),
  ),
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `v2-grpc: a server that ${what} at the first inference`,
      start: () => grpcServer((call) => describeDouble(call) || attack(call)),
    }),
  ),
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `v2-grpc: a server that ${what} under load`,
      exitCodes: [0, 1],
      args: ['--concurrency', '2'],
      start: () => {
        let count = 0;
        return grpcServer((call) => {
          if (describeDouble(call)) return;
          if (count++ < SOUND_CALLS) reply(call, frame(SOUND_ANSWER));
          else attack(call);
        });
      },
    }),
  ),
  metadataKind('an input of [2^28]', tensor(4, 'x', 'FP32', [2 ** 28])),
  metadataKind('an input of [2^62]', tensor(4, 'x', 'FP32', [2n ** 62n])),
  metadataKind('strings of [2^26]', tensor(4, 'x', 'BYTES', [2 ** 26])),
  metadataKind(
    'an input of rank 1000',
    tensor(
      4,
      'x',
      'FP32',
      Array.from({ length: 1000 }, () => 1),
    ),
  ),
  metadataKind('50,000 inputs', concat(...Array.from({ length: 50_000 }, (_, i) => tensor(4, `x${i}`, 'FP32', [1])))),
  metadataKind(
    '50,000 outputs',
    concat(METADATA, ...Array.from({ length: 50_000 }, (_, i) => tensor(5, `y${i}`, 'FP32', [1]))),
  ),
  metadataKind('a name of 1 MB', tensor(4, 'n'.repeat(1_000_000), 'FP32', [1])),
  metadataKind('an unknown type', tensor(4, 'x', 'FP7', [1])),
  metadataKind('nothing', NOTHING),
  metadataKind(
    'a name that is not UTF-8',
    message(4, message(1, Uint8Array.of(0xff, 0xfe)), message(2, 'FP32'), int(3, 2)),
    { exitCodes: [0, 1, 3] },
  ),
  answerKind('a million outputs', () => new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? 0x2a : 0))),
  answerKind('20 million raw contents', () => new Uint8Array(40_000_000).map((_, i) => (i % 2 === 0 ? 0x32 : 0))),
  answerKind('another number of contents', () =>
    concat(tensor(5, 'y', 'FP32', [1, 2]), message(6, NOTHING), message(6, NOTHING)),
  ),
  answerKind('a shape of 2^53 - 1', () => concat(tensor(5, 'y', 'FP32', [2 ** 53 - 1]), message(6, new Uint8Array(8)))),
  answerKind('a negative shape', () => concat(tensor(5, 'y', 'FP32', [-1]), message(6, new Uint8Array(8)))),
  answerKind('a shape of a million sizes', () =>
    concat(
      message(5, message(1, 'y'), message(2, 'FP32'), message(3, new Uint8Array(1_000_000).fill(1))),
      message(6, NOTHING),
    ),
  ),
  answerKind('50 million varints', () =>
    message(
      5,
      message(1, 'y'),
      message(2, 'INT32'),
      int(3, 50_000_000),
      message(5, message(2, new Uint8Array(50_000_000))),
    ),
  ),
  answerKind('20 million strings', () =>
    message(
      5,
      message(1, 'y'),
      message(2, 'BYTES'),
      int(3, 20_000_000),
      message(
        5,
        new Uint8Array(40_000_000).map((_, i) => (i % 2 === 0 ? 0x42 : 0)),
      ),
    ),
  ),
  answerKind('strings that end early', () =>
    concat(tensor(5, 'y', 'BYTES', [1]), message(6, Uint8Array.of(255, 255, 255, 255, 1))),
  ),
  answerKind('another output', () => concat(tensor(5, 'z', 'FP32', [1, 2]), message(6, new Uint8Array(8)))),
  {
    name: 'v2-grpc: a server that repeats what it was sent',
    args: ['--header', 'Authorization: Bearer c0ffee-s3cret'],
    secret: 's3cret',
    start: () =>
      grpcServer((call) =>
        reply(call, NOTHING, { 'grpc-status': '16', 'grpc-message': `not with ${call.headers.authorization}` }),
      ),
  },
  {
    name: 'grpcs: a server that speaks no TLS',
    start: () =>
      listen(
        createServer((socket) => socket.end('hello')),
        (port) => `grpcs://127.0.0.1:${port}/double`,
      ),
  },
  {
    name: 'grpcs: a server that says nothing',
    start: () =>
      listen(
        createServer(() => undefined),
        (port) => `grpcs://127.0.0.1:${port}/double`,
      ),
  },
  {
    name: 'http: a server of gRPC',
    start: async () => {
      const server = await grpcServer((call) => describeDouble(call));
      return { ...server, url: server.url.replace(/^grpc:(.*)\/double$/, 'http:$1/v2/models/double') };
    },
  },
];
