/** Servers of the Open Inference Protocol over HTTP whose metadata or responses ask for the impossible. */
import { type RawRequest, rawHttpServer, respond, respondJson } from './http-requests.js';
import type { HostileServerKind } from './kind.js';
import { describeDouble, inferDouble } from './raw-http.js';

interface Tensor {
  readonly name: unknown;
  readonly datatype: unknown;
  readonly shape: unknown;
}

const Y: Tensor = { name: 'y', datatype: 'FP32', shape: [-1, 2] };
const x = (shape: unknown, datatype: unknown = 'FP32'): Tensor => ({ name: 'x', datatype, shape });

function serve(metadata: string, infer: (request: RawRequest) => void): HostileServerKind['start'] {
  return () =>
    rawHttpServer((request) => {
      const { path, socket } = request;
      if (path === '/v2') respondJson(socket, { name: 'hostile', version: '1', extensions: ['binary_tensor_data'] });
      else if (path === '/v2/models/m') respond(socket, metadata, ['Content-Type: application/json']);
      else if (path.endsWith('/ready')) respondJson(socket, {});
      else infer(request);
    }, '/v2/models/m');
}

function described(
  name: string,
  inputs: unknown,
  outputs: unknown = [Y],
  more: Partial<HostileServerKind> = {},
): HostileServerKind {
  return {
    name: `v2-http: metadata of ${name}`,
    start: serve(JSON.stringify({ name: 'm', inputs, outputs }), inferDouble),
    errorCodes: ['SO5103', 'SO2104', 'SO4002'],
    exitCodes: [1, 3],
    ...more,
  };
}

const JSON_ONLY = { args: ['--protocol', 'v2-http-json'] };

/** A response to an inference: JSON as it is, without bytes behind. */
function answered(name: string, response: string | Buffer, headers: readonly string[] = []): HostileServerKind {
  return {
    name: `v2-http: a response of ${name}`,
    start: () =>
      rawHttpServer((request) => {
        if (!describeDouble(request)) respond(request.socket, response, headers);
      }, '/v2/models/double'),
  };
}

const output = (more: object): string =>
  JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [1, 2], ...more }] });

export const V2_HTTP_SERVERS: readonly HostileServerKind[] = [
  described('an input of [2^28]', [x([2 ** 28])]),
  described('an input of [2^28] in JSON', [x([2 ** 28])], [Y], JSON_ONLY),
  described('an input of [2^26] in JSON', [x([2 ** 26])], [Y], JSON_ONLY),
  described('strings of [2^26]', [x([2 ** 26], 'BYTES')]),
  described('bytes of [2^31]', [x([2 ** 31], 'UINT8')]),
  described('an input of [2^53 - 1]', [x([Number.MAX_SAFE_INTEGER])]),
  described('an input of [2^50, 2^50]', [x([2 ** 50, 2 ** 50])]),
  described('an input of [0, 2^53 - 1]', [x([0, Number.MAX_SAFE_INTEGER])], [Y], { exitCodes: [0, 1, 3] }),
  described('an input of rank 1000', [x(Array.from({ length: 1000 }, () => 1))]),
  described('an input of rank 1000 with open sizes', [x(Array.from({ length: 1000 }, () => -1))]),
  described('an input of size -5', [x([-5, 2])], [Y], { exitCodes: [0, 1, 3] }),
  described('an input of size 1e300', [x([1e300])]),
  described('an input of size 1.5', [x([1.5])]),
  described('an input whose size is a text', [x(['2', '2'])]),
  described('an input whose size is null', [x([null])]),
  described('an input whose shape is a number', [x(4)]),
  described('an input whose shape is an object', [x({ length: 3 })]),
  described('an input without a name', [{ datatype: 'FP32', shape: [1] }]),
  described('an input of an unknown type', [x([1], 'FP7')]),
  described('an input whose type is a number', [x([1], 1)]),
  described('two inputs of one name', [x([1]), x([2])]),
  described(
    '50,000 inputs',
    Array.from({ length: 50_000 }, (_, i) => ({ name: `x${i}`, datatype: 'FP32', shape: [1] })),
  ),
  described(
    '5,000 inputs called masks',
    Array.from({ length: 5000 }, (_, i) => ({ name: `mask${i}`, datatype: 'INT64', shape: [1, -1] })),
  ),
  described(
    '900 inputs of [2^20]',
    Array.from({ length: 900 }, (_, i) => ({ name: `x${i}`, datatype: 'FP32', shape: [2 ** 20] })),
  ),
  described(
    '50,000 outputs',
    [x([1, 2])],
    Array.from({ length: 50_000 }, (_, i) => ({ ...Y, name: `y${i}` })),
  ),
  described('a name of 1 MB', [{ ...x([1, 2]), name: 'n'.repeat(1_000_000) }]),
  described('a name with control characters', [{ ...x([1, 2]), name: '\u001b[2J\u202e\n::error::x' }], [Y], {
    exitCodes: [0, 1, 3],
  }),
  described('a name that is a key of prototypes', [{ ...x([-1, 2]), name: '__proto__' }], [Y], {
    exitCodes: [0, 1, 3],
  }),
  described('an empty name', [{ ...x([-1, 2]), name: '' }], [Y], { exitCodes: [0, 1, 3] }),
  described('inputs that are an object', { x: 1 }),
  described('inputs that are null', null),
  described('no inputs', []),
  { ...described('nothing', []), start: serve('', inferDouble) },
  { ...described('a text', []), start: serve('"metadata"', inferDouble) },
  { ...described('5 MB of spaces', []), start: serve(' '.repeat(5_000_000), inferDouble) },
  {
    ...described('NaN', []),
    start: serve('{"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[NaN]}]}', inferDouble),
  },
  {
    ...described('the same key twice', []),
    start: serve(
      '{"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"shape":[268435456]}]}',
      inferDouble,
    ),
  },
  answered('nothing', ''),
  answered('a JSON number', '1'),
  answered('null', 'null'),
  answered('no outputs', '{"outputs":[]}'),
  answered('outputs that are an object', '{"outputs":{"length":1}}'),
  answered(
    'a million outputs',
    `{"outputs":[${'{"name":"y","datatype":"FP32","shape":[1],"data":[1]},'.repeat(1_000_000)}{}]}`,
  ),
  answered('a shape of 2^53 - 1', output({ shape: [Number.MAX_SAFE_INTEGER] })),
  answered('a shape of 2^40 by 2^40', output({ shape: [2 ** 40, 2 ** 40] })),
  answered('a negative shape', output({ shape: [-1, -2] })),
  answered('a shape of rank 100,000', output({ shape: Array.from({ length: 100_000 }, () => 1) })),
  answered('NaN', '{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[NaN,Infinity]}]}'),
  answered('texts for numbers', output({ data: ['1', '2'] })),
  answered('objects for numbers', output({ data: [{}, { valueOf: 1 }] })),
  answered(
    'a deeply nested number',
    `{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":${'['.repeat(50_000)}1${']'.repeat(50_000)}}]}`,
  ),
  answered(
    'a deeply nested object for a number',
    `{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},1]}]}`,
  ),
  // Such a number is read as infinity.
  {
    ...answered('a number of a million digits', output({ data: ['D', 1] }).replace('"D"', '9'.repeat(1_000_000))),
    exitCodes: [0, 1],
  },
  answered(
    'two million digits of INT64',
    output({ datatype: 'INT64', data: ['D', 1] }).replace('"D"', `1${'0'.repeat(300)}`),
  ),
  answered('a negative number for UINT64', output({ datatype: 'UINT64', data: [-1, 1] })),
  answered(
    'a key of prototypes',
    '{"__proto__":{"outputs":[]},"outputs":[{"__proto__":{"name":"y"},"datatype":"FP32","shape":[1,2],"data":[1,2]}]}',
  ),
  answered('a header longer than the body', output({}), ['Inference-Header-Content-Length: 1000000']),
  answered('a header of negative length', output({}), ['Inference-Header-Content-Length: -1']),
  answered('a header of length 1e300', output({}), ['Inference-Header-Content-Length: 1e300']),
  answered('bytes that end early', output({ parameters: { binary_data_size: 2 ** 40 } }), [
    `Inference-Header-Content-Length: ${output({ parameters: { binary_data_size: 2 ** 40 } }).length}`,
  ]),
  answered('a negative number of bytes', output({ parameters: { binary_data_size: -8 } })),
  answered('another output', output({ name: 'z' })),
  answered('another type', output({ datatype: 'INT8' })),
  answered('an unknown type', output({ datatype: 'FP7' })),
  answered('another shape', output({ shape: [2, 1, 1, 3], data: [1, 2, 3, 4, 5, 6] })),
  answered(
    '100 MB of numbers',
    `{"outputs":[{"name":"y","datatype":"FP32","shape":[50000000],"data":[${'1,'.repeat(49_999_999)}1]}]}`,
  ),
  {
    name: 'v2-http: a server that is not ready',
    start: () =>
      rawHttpServer((request) => {
        const { path, socket } = request;
        if (path.endsWith('/ready')) respondJson(socket, { error: 'not ready' }, '503 Service Unavailable');
        else if (!describeDouble(request)) inferDouble(request);
      }, '/v2/models/double'),
  },
  {
    name: 'v2-http: a server with a million models',
    start: () =>
      rawHttpServer(({ path, socket }) => {
        if (path === '/v2') respondJson(socket, { name: 'hostile' });
        else if (path === '/v2/repository/index') {
          respond(socket, `[${'{"name":"m"},'.repeat(1_000_000)}{"name":"n"}]`, ['Content-Type: application/json']);
        } else respondJson(socket, { error: 'no' }, '404 Not Found');
      }, '/v2'),
  },
];
