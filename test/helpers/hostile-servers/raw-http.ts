/** What a server can do wrong below any protocol: at the first request, or when it is under load. */
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { JSON_TYPE, type RawRequest, rawHttpServer, respond, respondJson } from './http-requests.js';
import { type HostileServerKind, listen, pour } from './kind.js';

type Attack = (request: RawRequest) => void;

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n`;

/** 64 MiB of spaces in some 64 kB; made when it is wanted. */
const bomb = (): Buffer => gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));

const ATTACKS: ReadonlyMap<string, Attack> = new Map<string, Attack>([
  ['says nothing', () => undefined],
  ['closes the connection', ({ socket }) => socket.destroy()],
  ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
  ['speaks something else', ({ socket }) => socket.end('220 mail.example ESMTP\r\n')],
  [
    'sends random bytes',
    ({ socket }) => socket.end(Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 97) % 256))),
  ],
  ['sends a status line without end', ({ socket }) => pour(socket, `HTTP/1.1 200 ${'A'.repeat(4096)}`)],
  ['sends headers without end', ({ socket }) => pour(socket, `${OK}${'X-Header: value\r\n'.repeat(200)}`)],
  [
    'sends one byte of a header at a time',
    ({ socket }) => {
      socket.write(OK);
      pour(socket, 'X', 40);
    },
  ],
  [
    'sends one byte of the body at a time',
    ({ socket }) => {
      socket.write(`${OK}Content-Length: 100000\r\n\r\n`);
      pour(socket, ' ', 40);
    },
  ],
  ['sends 100 Continue without end', ({ socket }) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(50))],
  [
    'sends 103 Early Hints without end',
    ({ socket }) => pour(socket, 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'.repeat(50)),
  ],
  [
    'switches protocols',
    ({ socket }) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello'),
  ],
  ['promises 99,999,999,999 bytes', ({ socket }) => socket.write(`${OK}Content-Length: 99999999999\r\n\r\n{`)],
  [
    'promises more bytes than numbers go',
    ({ socket }) => socket.write(`${OK}Content-Length: 99999999999999999999999999\r\n\r\n{`),
  ],
  ['promises a negative number of bytes', ({ socket }) => socket.end(`${OK}Content-Length: -1\r\n\r\n{}`)],
  ['promises two lengths', ({ socket }) => socket.end(`${OK}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}`)],
  ['promises more than it sends', ({ socket }) => socket.end(`${OK}Content-Length: 500\r\n\r\n{}`)],
  [
    'resets amid the body',
    ({ socket }) => {
      socket.write(`${OK}Content-Length: 500\r\n\r\n{`);
      setTimeout(() => socket.resetAndDestroy(), 20);
    },
  ],
  [
    'sends a body without end',
    ({ socket }) => {
      socket.write(`${OK}\r\n`);
      pour(socket, Buffer.alloc(65_536, ' '));
    },
  ],
  [
    'sends chunks without end',
    ({ socket }) => {
      socket.write(`${CHUNKED}\r\n`);
      pour(socket, `10000\r\n${' '.repeat(65_536)}\r\n`);
    },
  ],
  [
    'sends chunks of one byte without end',
    ({ socket }) => {
      socket.write(`${CHUNKED}\r\n`);
      pour(socket, '1\r\n \r\n'.repeat(5000));
    },
  ],
  [
    'sends a chunk with an extension without end',
    ({ socket }) => {
      socket.write(`${CHUNKED}\r\n1;`);
      pour(socket, 'x'.repeat(4096));
    },
  ],
  ['sends a chunk size that is none', ({ socket }) => socket.end(`${CHUNKED}\r\nzz\r\n{}\r\n0\r\n\r\n`)],
  ['sends an absurd chunk size', ({ socket }) => socket.write(`${CHUNKED}\r\nffffffffffffffff\r\n{}`)],
  [
    'sends trailers without end',
    ({ socket }) => {
      socket.write(`${CHUNKED}\r\n2\r\n{}\r\n0\r\n`);
      pour(socket, 'X-Trailer: value\r\n'.repeat(200));
    },
  ],
  ['never ends the chunks', ({ socket }) => socket.write(`${CHUNKED}\r\n2\r\n{}\r\n`)],
  ['sends a bomb of gzip', ({ socket }) => respond(socket, bomb(), [JSON_TYPE, 'Content-Encoding: gzip'])],
  ['sends gzip that is none', ({ socket }) => respond(socket, '{}', [JSON_TYPE, 'Content-Encoding: gzip'])],
  [
    'redirects',
    ({ socket }) => respond(socket, '', ['Location: http://127.0.0.1:1/elsewhere'], '307 Temporary Redirect'),
  ],
  ['redirects to itself', ({ socket, path }) => respond(socket, '', [`Location: ${path}`], '301 Moved Permanently')],
  [
    'sends 500 lines of status 200 without a body',
    ({ socket }) => socket.write(`${OK}Content-Length: 0\r\n\r\n`.repeat(500)),
  ],
  ['says that its status is 0', ({ socket }) => socket.end('HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n')],
  ['says 204', ({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n')],
  ['sends an empty body', ({ socket }) => respond(socket, '')],
  [
    'sends bytes that are not UTF-8',
    ({ socket }) => respond(socket, Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x22]), [JSON_TYPE]),
  ],
  ['sends JSON that is deeply nested', ({ socket }) => respond(socket, '['.repeat(3_000_000), [JSON_TYPE])],
  [
    'sends JSON of deeply nested objects',
    ({ socket }) => respond(socket, `${'{"a":'.repeat(1_000_000)}1${'}'.repeat(1_000_000)}`, [JSON_TYPE]),
  ],
  [
    'sends JSON of ten million empty lists',
    ({ socket }) => respond(socket, `[${'[],'.repeat(10_000_000)}[]]`, [JSON_TYPE]),
  ],
  [
    'sends JSON of a million keys',
    ({ socket }) =>
      respond(socket, `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}k":0`).join(',')}}`, [JSON_TYPE]),
  ],
  [
    'sends JSON with keys of prototypes',
    ({ socket }) =>
      respond(socket, '{"__proto__":{"name":"x"},"constructor":{"prototype":{}},"inputs":{"__proto__":1}}', [
        JSON_TYPE,
      ]),
  ],
  [
    'sends control characters in its error',
    ({ socket }) =>
      respond(
        socket,
        '{"error":"\\u001b[2J\\u0007\\u202e::error::no\\n::set-output name=x::y"}',
        [JSON_TYPE],
        '500 No',
      ),
  ],
  [
    'sends an error of 100 MB',
    ({ socket }) => respond(socket, `{"error":"${'A'.repeat(100_000_000)}"}`, [JSON_TYPE], '500 No'),
  ],
]);

const METADATA = {
  name: 'double',
  versions: ['1'],
  platform: 'hostile',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};

/** Responses what precedes an inference; true when it did. */
export function describeDouble({ path, socket }: RawRequest): boolean {
  if (path === '/v2') respondJson(socket, { name: 'hostile', version: '1', extensions: ['binary_tensor_data'] });
  else if (path === '/v2/models/double') respondJson(socket, METADATA);
  else if (path.endsWith('/ready')) respondJson(socket, {});
  else return false;
  return true;
}

const VALUES = Buffer.alloc(8);
const HEADER = '{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}';

/** A sound response to an inference of `double`. */
export function inferDouble({ socket }: RawRequest): void {
  respond(socket, Buffer.concat([Buffer.from(HEADER), VALUES]), [`Inference-Header-Content-Length: ${HEADER.length}`]);
}

/** Requests that are answered well before the attack begins: more than are tried before the load. */
const SOUND_REQUESTS = 20;

export const RAW_HTTP_SERVERS: readonly HostileServerKind[] = [
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `http: a server that ${what}`,
      start: () => rawHttpServer(attack, '/v2/models/double'),
    }),
  ),
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `http: a server that ${what} at the first inference`,
      start: () => rawHttpServer((request) => describeDouble(request) || attack(request), '/v2/models/double'),
    }),
  ),
  ...[...ATTACKS].map(
    ([what, attack]): HostileServerKind => ({
      name: `http: a server that ${what} under load`,
      start: () => {
        let count = 0;
        return rawHttpServer((request) => {
          if (describeDouble(request)) return;
          if (count++ < SOUND_REQUESTS) inferDouble(request);
          else attack(request);
        }, '/v2/models/double');
      },
      // What was answered well is measured; failures are counted beside.
      exitCodes: [0, 1],
      args: ['--concurrency', '2'],
    }),
  ),
  {
    name: 'http: a server that closes before it hears',
    start: () =>
      listen(
        createServer((socket) => socket.end()),
        (port) => `http://127.0.0.1:${port}/v2/models/double`,
      ),
  },
  {
    name: 'http: a server that says nothing about its protocol',
    start: () => rawHttpServer(() => undefined),
  },
  {
    name: 'http: a server of unknown protocol that drips',
    start: () =>
      rawHttpServer(({ socket }) => {
        socket.write(`${OK}Content-Length: 1000\r\n\r\n`);
        pour(socket, '{', 40);
      }),
  },
  {
    name: 'https: a server that speaks no TLS',
    start: () =>
      listen(
        createServer((socket) => socket.end(`${OK}\r\n`)),
        (port) => `https://127.0.0.1:${port}/v2/models/double`,
      ),
  },
  {
    name: 'https: a server that says nothing',
    start: () =>
      listen(
        createServer(() => undefined),
        (port) => `https://127.0.0.1:${port}/v2/models/double`,
      ),
  },
  {
    name: 'https: a server that begins a TLS record without end',
    start: () =>
      listen(
        createServer((socket) => {
          socket.write(Buffer.from([0x16, 3, 3, 0x40, 0]));
          pour(socket, Buffer.alloc(1), 40);
        }),
        (port) => `https://127.0.0.1:${port}/v2/models/double`,
      ),
  },
  {
    name: 'http: a server that repeats what it was sent',
    args: ['--header', 'Authorization: Bearer c0ffee-s3cret', '--header', 'X-Api-Key: k3y-s3cret'],
    secret: 's3cret',
    start: () =>
      rawHttpServer(({ socket, headers }) => {
        const said = [...headers].map(([name, value]) => `${name}: ${value}`).join(' ');
        respondJson(socket, { error: `not allowed: ${said}` }, '401 Unauthorized');
      }, '/v2/models/double'),
  },
  {
    name: 'http: a server that repeats what it was sent at the first inference',
    args: ['--header', 'Authorization: Bearer c0ffee-s3cret', '--header', 'X-Api-Key: k3y-s3cret'],
    secret: 's3cret',
    start: () =>
      rawHttpServer((request) => {
        if (describeDouble(request)) return;
        respondJson(request.socket, { error: `no: ${request.headers.get('authorization')}` }, '500 No');
      }, '/v2/models/double'),
  },
];
