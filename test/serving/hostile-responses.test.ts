/** Whatever bytes a server sends, decoding ends with outputs or with SO5103. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import type { PreparedRequest, ServerClient, ServerResponse } from '../../src/serving/client.js';
import { DataType } from '../../src/tensor/dtype.js';
import { client } from './fake-server.js';

const REQUEST: PreparedRequest = { headers: {}, body: new Uint8Array(0), samples: 1 };

function decodes(opened: ServerClient, body: Uint8Array, headerLength?: string): void {
  const header = (name: string): string | undefined =>
    name === 'inference-header-content-length' ? headerLength : undefined;
  const response: ServerResponse = { status: '200', ok: true, header, body, retried: false };
  try {
    opened.decode(response, REQUEST);
  } catch (error) {
    expect(error).toBeInstanceOf(ServeOptError);
    expect(error).toMatchObject({ code: 'SO5103' });
  }
}

/** Bytes of a message with some of them changed, dropped or doubled. */
function mutated(sound: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.tuple(fc.nat(sound.length - 1), fc.nat(255), fc.constantFrom('set', 'drop', 'double', 'cut'));
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    let bytes = [...sound];
    for (const [at, value, kind] of edits) {
      const index = Math.min(at, Math.max(0, bytes.length - 1));
      if (kind === 'set') bytes[index] = value;
      else if (kind === 'drop') bytes.splice(index, 1);
      else if (kind === 'double') bytes.splice(index, 0, ...bytes.slice(index, index + 8));
      else bytes = bytes.slice(0, index);
    }
    return Uint8Array.from(bytes);
  });
}

const JSON_ANSWER = Buffer.from(
  '{"outputs":[{"name":"y","datatype":"FP32","shape":[2,1],"data":[1,2]},{"name":"s","datatype":"BYTES","shape":[1],"data":["a"]},{"name":"n","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}}]}',
);
const PAYLOAD = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

describe('hostile responses', () => {
  it('of the Open Inference Protocol in JSON and bytes', async () => {
    const opened = await client('http://127.0.0.1:1/v2/models/m', { protocol: 'v2-http' });
    const whole = Buffer.concat([JSON_ANSWER, PAYLOAD]);
    decodes(opened, whole, String(JSON_ANSWER.length));
    fc.assert(
      fc.property(mutated(whole), fc.option(fc.integer({ min: -5, max: 400 }).map(String)), (bytes, length) => {
        decodes(opened, bytes, length ?? String(JSON_ANSWER.length));
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.json(), (text) => decodes(opened, Buffer.from(text))));
  });

  it('of the Open Inference Protocol in protobuf', async () => {
    const opened = await client('grpc://127.0.0.1:1/m');
    // A request has its tensors at the numbers at which a response has its outputs, but for the raw contents.
    const feeds = new Map([
      ['y', { dataType: DataType.FLOAT, dims: [2], data: Float32Array.of(1, 2) }],
      ['s', { dataType: DataType.STRING, dims: [1], data: ['é'] }],
    ]);
    const message = Uint8Array.from((await opened.prepare(feeds)).body.subarray(5), (byte) =>
      byte === 0x3a ? 0x32 : byte,
    );
    const response: ServerResponse = {
      status: 'gRPC OK',
      ok: true,
      header: () => undefined,
      body: message,
      retried: false,
    };
    expect(opened.decode(response, REQUEST).get('s')?.data).toEqual(['é']);
    fc.assert(
      fc.property(mutated(message), (bytes) => decodes(opened, bytes)),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => decodes(opened, bytes)));
  });

  it('of the other protocols', async () => {
    const torchServe = await client('http://127.0.0.1:1/predictions/m');
    const tensorFlow = await client('http://127.0.0.1:1/v1/models/m:predict');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 40 }),
        ),
        (bytes) => {
          decodes(torchServe, bytes);
          decodes(tensorFlow, bytes);
        },
      ),
    );
  });
});
