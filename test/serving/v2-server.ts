/**
 * A server of the Open Inference Protocol over HTTP, written apart from the client: the model `double` takes `x`
 * float[?,2] and gives `y` = 2x. `fault` may take over an inference.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type FakeServer, fakeServer, json } from './fake-server.js';

export interface V2Faults {
  /** Responses an inference in its own way; true when it did. `count` counts inferences from 0. */
  readonly infer?: (request: IncomingMessage, response: ServerResponse, count: number, body: Buffer) => boolean;
  readonly metadata?: unknown;
  readonly extensions?: readonly string[];
  readonly ready?: boolean;
  /** Of Triton: what its index and its configuration of the model say. */
  readonly index?: unknown;
  readonly configuration?: unknown;
}

export const METADATA = {
  name: 'double',
  versions: ['1'],
  platform: 'test',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};

export async function v2Server(faults: V2Faults = {}): Promise<FakeServer> {
  let count = 0;
  return fakeServer(async (request, response) => {
    const { url, method } = request;
    const path = (url ?? '').replace(/\/versions\/\d+/, '');
    if (path === '/v2') {
      json(response, { name: 'fake', version: '1.0', extensions: faults.extensions ?? ['binary_tensor_data'] });
    } else if (path === '/v2/repository/index' && method === 'POST')
      json(response, faults.index ?? [{ name: 'double' }]);
    else if (path === '/v2/health/live') json(response, {});
    else if (path === '/v2/models/double/config' && faults.configuration) json(response, faults.configuration);
    else if (path === '/v2/models/double') json(response, faults.metadata ?? METADATA);
    else if (path === '/v2/models/double/ready') json(response, {}, faults.ready === false ? 400 : 200);
    else if (path === '/v2/models/double/infer' && method === 'POST') {
      const body = await bodyOf(request);
      if (!faults.infer?.(request, response, count++, body)) infer(request, body, response);
    } else json(response, { error: `Request for unknown model: '${path.split('/')[3]}' is not found` }, 404);
  });
}

interface Input {
  readonly name: string;
  readonly shape: number[];
  readonly datatype: string;
  readonly data?: number[];
  readonly parameters?: { readonly binary_data_size?: number };
}

function infer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const length = request.headers['inference-header-content-length'];
  const headerBytes = length === undefined ? body.length : Number(length);
  const document = JSON.parse(body.subarray(0, headerBytes).toString()) as {
    inputs: Input[];
    parameters?: { binary_data_output?: boolean };
  };
  const input = document.inputs[0] as Input;
  const values = input.data ?? [
    ...floats(body.subarray(headerBytes, headerBytes + (input.parameters?.binary_data_size ?? 0))),
  ];
  if (input.name !== 'x' || values.length !== input.shape.reduce((a, b) => a * b, 1)) {
    json(response, { error: 'unexpected shape or name' }, 400);
    return;
  }
  const doubled = values.map((value) => value * 2);
  if (document.parameters?.binary_data_output) binaryAnswer(response, input.shape, doubled);
  else
    json(response, {
      model_name: 'double',
      outputs: [{ name: 'y', datatype: 'FP32', shape: input.shape, data: doubled }],
    });
}

function floats(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

export function binaryAnswer(
  response: ServerResponse,
  shape: readonly number[],
  values: readonly number[],
  cut = 0,
): void {
  const payload = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) payload.writeFloatLE(value, index * 4);
  const header = Buffer.from(
    JSON.stringify({
      outputs: [{ name: 'y', datatype: 'FP32', shape, parameters: { binary_data_size: payload.length } }],
    }),
  );
  response.writeHead(200, { 'Inference-Header-Content-Length': String(header.length) });
  response.end(Buffer.concat([header, payload.subarray(0, payload.length - cut)]));
}
