import { describe, expect, it } from 'vitest';
import { isFailure, type ServerClient } from '../../src/serving/client.js';
import { DataType } from '../../src/tensor/dtype.js';
import { bodyOf, client, fakeServer, json } from './fake-server.js';

const FEEDS = new Map([
  ['x', { dataType: DataType.FLOAT, dims: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) }],
  ['n', { dataType: DataType.INT64, dims: [2], data: BigInt64Array.of(5n, 6n) }],
]);

async function exchange(opened: ServerClient): Promise<unknown> {
  const connection = opened.connect();
  const request = await opened.prepare(FEEDS);
  const response = await connection.send(request);
  connection.close();
  if (isFailure(response)) return response.failure;
  return response.ok ? opened.decode(response, request) : `${response.status} ${opened.errorText(response)}`;
}

describe('TorchServe', () => {
  it('is found by its ping, and takes JSON by input name or raw bytes', async () => {
    const bodies: string[] = [];
    const server = await fakeServer(async (request, response) => {
      if (request.url === '/ping') json(response, { status: 'Healthy' });
      else if (request.url === '/v2') json(response, { code: 404, message: 'no' }, 404);
      else {
        bodies.push(`${request.headers['content-type']} ${await bodyOf(request)}`);
        response.end('[1]');
      }
    });
    const opened = await client(server.url, { model: 'tiny', modelVersion: '2.0' });
    expect(opened.protocol).toBe('torchserve');
    expect(await opened.describe()).toEqual({ name: 'tiny', version: '2.0', notes: [] });
    expect(await exchange(opened)).toEqual(new Map());
    const raw = opened.prepareRaw?.({ body: Buffer.from('abc'), contentType: 'text/plain' });
    const connection = opened.connect();
    if (raw) await connection.send(raw);
    connection.close();
    expect(server.seen.at(-1)).toBe('POST /predictions/tiny/2.0');
    expect(bodies).toEqual(['application/json {"x":[[1,2],[3,4.5]],"n":[5,6]}', 'text/plain abc']);
  });

  it('passes on words of errors, and refuses responses that stop being JSON', async () => {
    let count = 0;
    const server = await fakeServer(async (request, response) => {
      await bodyOf(request);
      count++;
      if (count === 1) json(response, { code: 503, type: 'ServiceUnavailable', message: 'Worker died.' }, 503);
      else response.end(count === 2 ? '' : '[1,');
    });
    const opened = await client(`${server.url}/predictions/tiny`);
    expect(await exchange(opened)).toBe('503 Worker died.');
    await expect(exchange(opened)).rejects.toMatchObject({ code: 'SO5103', message: 'The response is empty' });
    await expect(exchange(opened)).rejects.toMatchObject({ code: 'SO5103' });
  });

  it('wants the token that the server wants', async () => {
    const server = await fakeServer((request, response) => {
      if (request.headers.authorization === 'Bearer key') json(response, { status: 'Healthy' });
      else json(response, { code: 400, type: 'InvalidKeyException', message: 'Token Authorization failed.' }, 400);
    });
    await expect((await client(`${server.url}/predictions/m`)).describe()).rejects.toMatchObject({
      code: 'SO5102',
      why: 'the server reports: Token Authorization failed.',
      hint: expect.stringContaining('--header'),
    });
    const opened = await client(`${server.url}/predictions/m`, { headers: ['Authorization: Bearer key'] });
    await expect(opened.describe()).resolves.toMatchObject({ name: 'm' });
  });
});

const tensor = (dtype: string, sizes: readonly string[]): object => ({
  dtype,
  tensor_shape: { dim: sizes.map((size) => ({ size, name: '' })), unknown_rank: false },
});
const SIGNATURES = {
  serving_default: {
    inputs: { x: tensor('DT_FLOAT', ['-1', '2']), n: tensor('DT_INT64', ['-1']) },
    outputs: { y: tensor('DT_FLOAT', ['-1', '2']), k: tensor('DT_INT64', ['-1']) },
  },
};

async function tensorFlowServer(
  bodies: string[],
  prediction: unknown,
  state = 'AVAILABLE',
  signatures: object = SIGNATURES,
): Promise<string> {
  const server = await fakeServer(async (request, response) => {
    if (request.url === '/v1/models/m') json(response, { model_version_status: [{ version: '1', state }] });
    else if (request.url === '/v1/models/m/metadata') {
      json(response, { model_spec: { name: 'm' }, metadata: { signature_def: { signature_def: signatures } } });
    } else if (request.url === '/v1/models/m:predict') {
      bodies.push(String(await bodyOf(request)));
      json(response, prediction);
    } else json(response, { error: 'Could not find any versions of model x' }, 404);
  });
  return `${server.url}/v1/models/m`;
}

describe('TensorFlow Serving', () => {
  const y = { dataType: DataType.FLOAT, dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  const k = { dataType: DataType.INT64, dims: [2], data: BigInt64Array.of(7n, 8n) };

  it('sends columns', async () => {
    const bodies: string[] = [];
    const url = await tensorFlowServer(bodies, {
      outputs: {
        y: [
          [1, 2],
          [3, 4],
        ],
        k: [7, 8],
      },
    });
    const opened = await client(`${url}:predict`);
    const model = await opened.describe();
    expect(model.inputs?.map(({ name, typeText }) => `${name} ${typeText}`)).toEqual(['x float[?,2]', 'n int64[?]']);
    expect(await exchange(opened)).toEqual(
      new Map<string, unknown>([
        ['y', y],
        ['k', k],
      ]),
    );
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      signature_name: 'serving_default',
      inputs: {
        x: [
          [1, 2],
          [3, 4.5],
        ],
        n: [5, 6],
      },
    });
  });

  it('sends rows', async () => {
    const bodies: string[] = [];
    const url = await tensorFlowServer(bodies, {
      predictions: [
        { y: [1, 2], k: 7 },
        { y: [3, 4], k: 8 },
      ],
    });
    const opened = await client(url, { tensorFlowFormat: 'rows' });
    await opened.describe();
    expect(await exchange(opened)).toEqual(
      new Map<string, unknown>([
        ['y', y],
        ['k', k],
      ]),
    );
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      signature_name: 'serving_default',
      instances: [
        { x: [1, 2], n: 5 },
        { x: [3, 4.5], n: 6 },
      ],
    });
  });

  it('refuses responses of another form or size', async () => {
    for (const prediction of [
      {},
      {
        outputs: {
          y: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      { outputs: { y: [[1, 2], [3]], k: [7, 8] } },
    ]) {
      const opened = await client(await tensorFlowServer([], prediction));
      await opened.describe();
      await expect(exchange(opened)).rejects.toMatchObject({ code: 'SO5103' });
    }
    const rows = await client(await tensorFlowServer([], { predictions: [{ y: [1, 2], k: 7 }] }), {
      tensorFlowFormat: 'rows',
    });
    await rows.describe();
    await expect(exchange(rows)).rejects.toMatchObject({
      code: 'SO5103',
      message: expect.stringContaining('2 instances'),
    });
  });

  it('tells models that are not there, not loaded, or without the signature', async () => {
    const url = await tensorFlowServer([], {});
    await expect((await client(url.replace('models/m', 'models/x'))).describe()).rejects.toMatchObject({
      code: 'SO5104',
    });
    const loading = await client(await tensorFlowServer([], {}, 'LOADING'));
    await expect(loading.describe()).rejects.toMatchObject({
      code: 'SO5104',
      why: expect.stringContaining('AVAILABLE'),
    });
    const other = await client(await tensorFlowServer([], {}, 'AVAILABLE', { classify: {} }));
    await expect(other.describe()).rejects.toMatchObject({ code: 'SO5103', why: 'it has: classify' });
  });
});
