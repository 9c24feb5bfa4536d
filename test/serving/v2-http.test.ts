import { describe, expect, it } from 'vitest';
import { isFailure, type ServerClient } from '../../src/serving/client.js';
import { DataType } from '../../src/tensor/dtype.js';
import { client, fakeServer, json } from './fake-server.js';
import { binaryAnswer, METADATA, v2Server } from './v2-server.js';

const FEEDS = new Map([['x', { dataType: DataType.FLOAT, dims: [2, 2], data: Float32Array.of(1, -2, 0.1, 4) }]]);
const DOUBLED = Float32Array.of(2, -4, Math.fround(0.1) * 2, 8);

async function outputOf(opened: ServerClient): Promise<unknown> {
  const connection = opened.connect();
  try {
    const request = await opened.prepare(FEEDS);
    const response = await connection.send(request);
    if (isFailure(response)) return response;
    return response.ok ? opened.decode(response, request).get('y') : `${response.status} ${opened.errorText(response)}`;
  } finally {
    connection.close();
  }
}

describe('Open Inference Protocol over HTTP', () => {
  it.each(['v2-http', 'v2-http-json'] as const)('%s describes, sends and decodes', async (protocol) => {
    const server = await v2Server();
    const opened = await client(server.url, { protocol });
    const model = await opened.describe();
    expect(model).toMatchObject({ name: 'double', server: 'fake 1.0', notes: [] });
    expect(model.inputs).toEqual([
      { name: 'x', dataType: DataType.FLOAT, shape: [undefined, 2], typeText: 'float[?,2]' },
    ]);
    expect(await outputOf(opened)).toEqual({ dataType: DataType.FLOAT, dims: [2, 2], data: DOUBLED });
    // The same header again is taken from memory.
    expect(await outputOf(opened)).toMatchObject({ data: DOUBLED });
  });

  it('asks for the version of the URL', async () => {
    const server = await v2Server();
    const opened = await client(`${server.url}/v2/models/double/versions/1`);
    expect(await opened.describe()).toMatchObject({ name: 'double', version: '1' });
    await outputOf(opened);
    expect(server.seen.at(-1)).toBe('POST /v2/models/double/versions/1/infer');
  });

  it('sends the headers it is given', async () => {
    const seen: unknown[] = [];
    const server = await fakeServer((request, response) => {
      seen.push(request.headers.authorization);
      json(response, {}, 401);
    });
    const opened = await client(server.url, { protocol: 'v2-http', model: 'm', headers: ['Authorization: Bearer t'] });
    await expect(opened.describe()).rejects.toMatchObject({
      code: 'SO5102',
      hint: expect.stringContaining('--header'),
    });
    expect(seen).toEqual(['Bearer t', 'Bearer t']);
  });

  it('takes JSON where the server lists no binary extension', async () => {
    const server = await v2Server({ extensions: ['model_repository'] });
    const opened = await client(`${server.url}/v2/models/double`);
    expect(opened.protocol).toBe('v2-http-json');
  });

  it('names the models that are there', async () => {
    const server = await v2Server();
    const opened = await client(`${server.url}/v2/models/doubel`);
    await expect(opened.describe()).rejects.toMatchObject({
      code: 'SO5104',
      message: expect.stringContaining('"doubel"'),
      why: expect.stringContaining('not found'),
      hint: 'did you mean "double"?',
    });
  });

  it('tells a model that is not ready', async () => {
    const server = await v2Server({ ready: false });
    await expect((await client(server.url)).describe()).rejects.toMatchObject({ code: 'SO5104' });
  });

  it('does not follow redirects', async () => {
    const other = await v2Server();
    const server = await fakeServer((_, response) => {
      response.writeHead(307, { location: `${other.url}/v2` });
      response.end();
    });
    const opened = await client(server.url, { protocol: 'v2-http', model: 'double' });
    await expect(opened.describe()).rejects.toMatchObject({
      code: 'SO5102',
      why: expect.stringContaining('not followed'),
    });
    expect(other.seen).toEqual([]);
  });

  it.each([
    ['no list', {}],
    ['a nameless input', { ...METADATA, inputs: [{ datatype: 'FP32', shape: [1] }] }],
    ['a shape that is none', { ...METADATA, inputs: [{ name: 'x', datatype: 'FP32', shape: 'two' }] }],
    ['no object', [1]],
  ])('refuses metadata with %s', async (name, metadata) => {
    const server = await v2Server({ metadata });
    const described = (await client(server.url)).describe();
    if (name === 'no list') await expect(described).resolves.toMatchObject({ inputs: [] });
    else await expect(described).rejects.toMatchObject({ code: 'SO5103' });
  });

  it.each([
    ['garbage', 'no json {'],
    ['no outputs', '{"id":"1"}'],
    ['a nameless output', '{"outputs":[{"datatype":"FP32","shape":[1],"data":[1]}]}'],
    ['too few elements', '{"outputs":[{"name":"y","datatype":"FP32","shape":[3],"data":[1,2]}]}'],
    ['an unknown type', '{"outputs":[{"name":"y","datatype":"FP7","shape":[1],"data":[1]}]}'],
    ['a negative shape', '{"outputs":[{"name":"y","datatype":"FP32","shape":[-1],"data":[1]}]}'],
    ['the wrong kind of element', '{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":["a"]}]}'],
    [
      'bytes that are not there',
      '{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}',
    ],
    [
      'a size that is none',
      '{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-4}}]}',
    ],
    ['__proto__', '{"__proto__":{"outputs":[]}}'],
  ])('refuses a response of %s', async (_, body) => {
    const server = await v2Server({
      infer: (_request, response) => {
        response.end(body);
        return true;
      },
    });
    const opened = await client(`${server.url}/v2/models/double`, { protocol: 'v2-http' });
    await expect(outputOf(opened)).rejects.toMatchObject({ code: 'SO5103' });
  });

  it('refuses binary responses that are cut, too long, or lie about their header', async () => {
    const server = await v2Server({
      infer: (_request, response, count) => {
        if (count === 0) binaryAnswer(response, [2, 2], [1, 2, 3, 4], 3);
        else if (count === 1) binaryAnswer(response, [2, 1], [1, 2, 3, 4]);
        else response.writeHead(200, { 'Inference-Header-Content-Length': '999' }).end('{}');
        return true;
      },
    });
    const opened = await client(`${server.url}/v2/models/double`);
    await expect(outputOf(opened)).rejects.toMatchObject({
      code: 'SO5103',
      message: expect.stringContaining('end early'),
    });
    await expect(outputOf(opened)).rejects.toMatchObject({ code: 'SO5103' });
    await expect(outputOf(opened)).rejects.toMatchObject({ code: 'SO5103' });
  });

  it('makes the words of a server safe', async () => {
    const server = await v2Server({
      infer: (_request, response) => {
        json(response, { error: `\u001b[31m::error::x\r\n${'y'.repeat(10_000)}` }, 500);
        return true;
      },
    });
    const opened = await client(`${server.url}/v2/models/double`);
    const serverMessage = String(await outputOf(opened));
    expect(serverMessage).toMatch(/^500 \[31m::error::x y+…$/);
    expect(serverMessage.length).toBeLessThan(320);
  });

  it('has no JSON form for FP16', async () => {
    const server = await v2Server();
    const feeds = new Map([['x', { dataType: DataType.FLOAT16, dims: [1], data: Uint16Array.of(0x3c00) }]]);
    const asJson = await client(server.url, { protocol: 'v2-http-json', model: 'double' });
    await expect(asJson.prepare(feeds)).rejects.toMatchObject({ code: 'SO4002' });
    const asBytes = await client(server.url, { protocol: 'v2-http', model: 'double' });
    expect(Buffer.from((await asBytes.prepare(feeds)).body.subarray(-2))).toEqual(Buffer.from([0x00, 0x3c]));
  });
});
