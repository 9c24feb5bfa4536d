import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Feeds } from '../../src/samples/types.js';
import { isFailure } from '../../src/serving/client.js';
import { DataType } from '../../src/tensor/dtype.js';
import { client } from './fake-server.js';
import { v2Server } from './v2-server.js';

/** The messages in the notation of .proto files, read by code that protobufjs generates from it. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message ModelMetadataRequest { string name = 1; string version = 2; }
  message TensorMetadata { string name = 1; string datatype = 2; repeated int64 shape = 3; }
  message ModelMetadataResponse { string name = 1; repeated string versions = 2; string platform = 3;
    repeated TensorMetadata inputs = 4; repeated TensorMetadata outputs = 5; }
  message ModelReadyResponse { bool ready = 1; }
  message ServerMetadataResponse { string name = 1; string version = 2; repeated string extensions = 3; }
  message ModelIndex { string name = 1; string version = 2; string state = 3; string reason = 4; }
  message RepositoryIndexResponse { repeated ModelIndex models = 1; }
  message InferTensorContents { repeated bool bool_contents = 1; repeated int32 int_contents = 2;
    repeated int64 int64_contents = 3; repeated uint32 uint_contents = 4; repeated uint64 uint64_contents = 5;
    repeated float fp32_contents = 6; repeated double fp64_contents = 7; repeated bytes bytes_contents = 8; }
  message Tensor { string name = 1; string datatype = 2; repeated int64 shape = 3; InferTensorContents contents = 5; }
  message ModelInferRequest { string model_name = 1; string model_version = 2; string id = 3;
    repeated Tensor inputs = 5; repeated bytes raw_input_contents = 7; }
  message ModelInferResponse { string model_name = 1; string model_version = 2; string id = 3;
    repeated Tensor outputs = 5; repeated bytes raw_output_contents = 6; }
`);

function encode(type: string, value: object): Buffer {
  const message = root.lookupType(type);
  return Buffer.from(message.encode(message.fromObject(value)).finish());
}

function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface Call {
  readonly method: string;
  readonly message: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

function reply(stream: ServerHttp2Stream, body: Uint8Array, status = 0, message = ''): void {
  stream.respond(GRPC, { waitForTrailers: true });
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'grpc-status': String(status), ...(message === '' ? {} : { 'grpc-message': message }) }),
  );
  stream.end(body);
}

const METADATA = {
  name: 'double',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};

const RESPONSES: Readonly<Record<string, Buffer>> = {
  ServerMetadata: encode('ServerMetadataResponse', { name: 'fake', version: '2' }),
  RepositoryIndex: encode('RepositoryIndexResponse', {
    models: [{ name: 'double' }, { name: 'double', version: '2' }],
  }),
  ModelMetadata: encode('ModelMetadataResponse', METADATA),
  ModelReady: encode('ModelReadyResponse', { ready: true }),
};

async function grpcServer(infer: (call: Call) => void, own: (call: Call) => boolean = () => false): Promise<string> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const method = String(headers[':path']).split('/')[2] ?? '';
      const { session } = stream;
      if (!session) return;
      const call = {
        method,
        message: Buffer.concat(pieces).subarray(5),
        headers,
        stream,
        session: session as ServerHttp2Session,
      };
      if (own(call)) return;
      if (method === 'ModelInfer') infer(call);
      else reply(stream, frame(RESPONSES[method] ?? Buffer.alloc(0)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const FEEDS: Feeds = new Map([
  ['x', { dataType: DataType.FLOAT, dims: [1, 2], data: Float32Array.of(1, -2.5) }],
  ['flags', { dataType: DataType.BOOL, dims: [2], data: Uint8Array.of(1, 0) }],
  ['words', { dataType: DataType.STRING, dims: [1], data: ['é'] }],
]);

/** What so many inferences give: output y, or status; each with a time limit of its own. */
async function inferences(
  url: string,
  count: number,
  timeoutMs?: (index: number) => number | undefined,
): Promise<unknown[]> {
  const opened = await client(url, { model: 'double', maximumResponseBytes: 100_000 });
  const connection = opened.connect();
  const request = await opened.prepare(FEEDS);
  const found: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const response = await connection.send(request, timeoutMs?.(index));
    if (isFailure(response)) found.push(response.failure);
    else if (!response.ok) found.push(`${response.status}: ${opened.errorText(response)}`);
    else found.push(opened.decode(response, request).get('y'));
  }
  connection.close();
  return found;
}

const GOOD = encode('ModelInferResponse', {
  modelName: 'double',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
  rawOutputContents: [Buffer.from(Float32Array.of(2, -5).buffer)],
});
const Y = { dataType: DataType.FLOAT, dims: [1, 2], data: Float32Array.of(2, -5) };

describe('Open Inference Protocol over gRPC', () => {
  it('describes the only model', async () => {
    const url = await grpcServer(() => {});
    const model = await (await client(url)).describe();
    expect(model).toMatchObject({ name: 'double', server: 'fake 2' });
    expect(model.inputs).toEqual([
      { name: 'x', dataType: DataType.FLOAT, shape: [undefined, 2], typeText: 'float[?,2]' },
    ]);
  });

  it('sends what another implementation reads', async () => {
    const seen: Call[] = [];
    const url = await grpcServer((call) => {
      seen.push(call);
      reply(call.stream, frame(GOOD));
    });
    expect(await inferences(url, 1, () => 90_000)).toEqual([Y]);
    const request = root
      .lookupType('ModelInferRequest')
      .decode(seen[0]?.message ?? Buffer.alloc(0))
      .toJSON();
    expect(request).toEqual({
      modelName: 'double',
      inputs: [
        { name: 'x', datatype: 'FP32', shape: ['1', '2'] },
        { name: 'flags', datatype: 'BOOL', shape: ['2'] },
        { name: 'words', datatype: 'BYTES', shape: ['1'] },
      ],
      rawInputContents: ['AACAPwAAIMA=', 'AQA=', 'AgAAAMOp'],
    });
    expect(seen[0]?.headers).toMatchObject({
      te: 'trailers',
      'grpc-timeout': '90000m',
      'content-type': 'application/grpc',
    });
  });

  it.each([
    ['FP32', { fp32Contents: [1.5, -2] }, Float32Array.of(1.5, -2)],
    ['FP64', { fp64Contents: [1.5, -2] }, Float64Array.of(1.5, -2)],
    ['INT64', { int64Contents: [-3, 4] }, BigInt64Array.of(-3n, 4n)],
    ['INT8', { intContents: [-3, 4] }, Int8Array.of(-3, 4)],
    ['UINT16', { uintContents: [3, 65535] }, Uint16Array.of(3, 65535)],
    ['UINT64', { uint64Contents: ['18446744073709551615', 4] }, BigUint64Array.of(2n ** 64n - 1n, 4n)],
    ['BOOL', { boolContents: [true, false] }, Uint8Array.of(1, 0)],
    ['BYTES', { bytesContents: [Buffer.from('é'), Buffer.from('b')] }, ['é', 'b']],
  ])('reads typed contents of %s', async (datatype, contents, data) => {
    const outputs = [{ name: 'y', datatype, shape: [2], contents }];
    const url = await grpcServer(({ stream }) => reply(stream, frame(encode('ModelInferResponse', { outputs }))));
    expect(await inferences(url, 1)).toMatchObject([{ dims: [2], data }]);
  });

  it.each([
    [
      'too few raw bytes',
      { outputs: [{ name: 'y', datatype: 'FP32', shape: [3] }], rawOutputContents: [Buffer.alloc(4)] },
    ],
    ['more contents than outputs', { outputs: [], rawOutputContents: [Buffer.alloc(4)] }],
    ['too few elements', { outputs: [{ name: 'y', datatype: 'FP32', shape: [3], contents: { fp32Contents: [1] } }] }],
    [
      'too many elements',
      { outputs: [{ name: 'y', datatype: 'INT32', shape: [1], contents: { intContents: [1, 2] } }] },
    ],
    ['typed FP16', { outputs: [{ name: 'y', datatype: 'FP16', shape: [1], contents: { fp32Contents: [1] } }] }],
  ])('refuses %s', async (_, value) => {
    const url = await grpcServer(({ stream }) => reply(stream, frame(encode('ModelInferResponse', value))));
    await expect(inferences(url, 1)).rejects.toMatchObject({ code: 'SO5103' });
  });

  it('refuses bytes that are no message', async () => {
    const url = await grpcServer(({ stream }) => reply(stream, frame(Buffer.from([0x2a, 0xff, 0x01]))));
    await expect(inferences(url, 1)).rejects.toMatchObject({
      code: 'SO5103',
      message: expect.stringContaining('ModelInferResponse'),
    });
  });

  it('takes status and words from the trailers', async () => {
    const url = await grpcServer(({ stream }) => reply(stream, Buffer.alloc(0), 3, 'batch%20too%20large%0Ayes'));
    expect(await inferences(url, 1)).toEqual(['gRPC INVALID_ARGUMENT: batch too large yes']);
  });

  it('takes a response of trailers only', async () => {
    const url = await grpcServer(({ stream }) => {
      stream.respond({ ...GRPC, 'grpc-status': '14', 'grpc-message': 'no worker' }, { endStream: true });
    });
    expect(await inferences(url, 2)).toEqual(['gRPC UNAVAILABLE: no worker', 'gRPC UNAVAILABLE: no worker']);
  });

  it('counts what goes wrong below', async () => {
    const large = frame(Buffer.alloc(200_000));
    const faults: ((call: Call) => void)[] = [
      ({ stream }) => reply(stream, frame(GOOD).subarray(0, -3)),
      ({ stream }) => reply(stream, large),
      ({ stream }) => {
        stream.respond({ ':status': 502 });
        stream.end('bad gateway');
      },
      ({ stream }) => {
        stream.respond(GRPC);
        stream.end(frame(GOOD));
      },
      ({ stream }) => reply(stream, Buffer.concat([Buffer.from([1]), frame(GOOD).subarray(1)])),
      ({ session }) => session.destroy(),
      () => {},
      ({ stream }) => reply(stream, frame(GOOD)),
    ];
    const SILENT = 6;
    let count = 0;
    const url = await grpcServer((call) => faults[count++]?.(call));
    expect(await inferences(url, faults.length, (index) => (index === SILENT ? 300 : undefined))).toEqual([
      'response cut off',
      'response too large',
      'protocol error',
      'response cut off',
      'protocol error',
      'connection reset',
      'timeout',
      Y,
    ]);
  });

  it('connects anew after a shutdown of the connection', async () => {
    const url = await grpcServer(({ stream, session }) => {
      reply(stream, frame(GOOD));
      stream.on('close', () => session.close());
    });
    expect(await inferences(url, 3)).toEqual([Y, Y, Y]);
  });

  it('sends again what a server refused unseen', async () => {
    let count = 0;
    const url = await grpcServer(({ stream }) => {
      if (count++ === 1) stream.close(7);
      else reply(stream, frame(GOOD));
    });
    expect(await inferences(url, 2)).toEqual([Y, Y]);
    expect(count).toBe(3);
  });

  it('tells models that are not there or not ready', async () => {
    const missing = await grpcServer(
      () => {},
      ({ method, stream }) => {
        if (method !== 'ModelMetadata') return false;
        reply(stream, Buffer.alloc(0), 5, 'unknown model');
        return true;
      },
    );
    await expect((await client(`${missing}/doubles`)).describe()).rejects.toMatchObject({
      code: 'SO5104',
      why: 'the server reports: unknown model',
      hint: 'did you mean "double"?',
    });
    const notReady = await grpcServer(
      () => {},
      ({ method, stream }) => {
        if (method !== 'ModelReady') return false;
        reply(stream, frame(encode('ModelReadyResponse', { ready: false })));
        return true;
      },
    );
    await expect((await client(notReady)).describe()).rejects.toMatchObject({ code: 'SO5104' });
  });

  it('says so when the port speaks HTTP/1.1', async () => {
    const server = await v2Server();
    const opened = await client(`grpc://127.0.0.1:${server.port}/double`);
    await expect(opened.describe()).rejects.toMatchObject({
      code: expect.stringMatching(/^SO510[13]$/),
      hint: expect.stringContaining('http'),
    });
  });
});
