/** Servers of completions, of TensorFlow Serving and of TorchServe that misbehave. */
import { type RawRequest, rawHttpServer, respond, respondJson } from './http-requests.js';
import { type HostileServerKind, pour } from './kind.js';

const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const END = '0\r\n\r\n';
const EVENT = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';

function listModels({ path, socket }: RawRequest): boolean {
  if (path !== '/v1/models') return false;
  respondJson(socket, { data: [{ id: 'm' }] });
  return true;
}

/** Events after the list of models. */
function completion(name: string, use: (request: RawRequest) => void): HostileServerKind {
  return {
    name: `openai-chat: a server that ${name}`,
    start: () => rawHttpServer((request) => listModels(request) || use(request), '/v1/chat/completions'),
    args: ['--max-tokens', '4'],
  };
}

const stream = (...texts: readonly string[]): string => `${STREAM}${texts.map(chunk).join('')}${END}`;

export const COMPLETION_SERVERS: readonly HostileServerKind[] = [
  completion('says nothing', () => undefined),
  completion('sends events without end', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk(EVENT.repeat(500)));
  }),
  completion('drips events', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk(EVENT), 40);
  }),
  completion('drips comments', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk(': keep-alive\n\n'), 40);
  }),
  completion('sends a line without end', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk(`data: ${'a'.repeat(60_000)}`));
  }),
  completion('sends data without a blank line', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk('data: {}\n'.repeat(5000)));
  }),
  completion('sends a carriage return at a time', ({ socket }) => {
    socket.write(STREAM);
    pour(socket, chunk('\r'.repeat(60_000)));
  }),
  completion('never says [DONE]', ({ socket }) => socket.write(stream(EVENT.repeat(3)))),
  completion('says [DONE] at once', ({ socket }) => socket.write(stream('data: [DONE]\n\n'))),
  completion('says [DONE] and stays', ({ socket }) => socket.write(`${STREAM}${chunk(`${EVENT}data: [DONE]\n\n`)}`)),
  completion('goes on after [DONE]', ({ socket }) => {
    socket.write(`${STREAM}${chunk('data: [DONE]\n\n')}`);
    pour(socket, chunk(EVENT));
  }),
  completion('sends an event that is no JSON', ({ socket }) =>
    socket.write(stream('data: {"choices"\n\ndata: [DONE]\n\n')),
  ),
  completion('sends an error as an event', ({ socket }) =>
    socket.write(stream('data: {"error":{"message":"\\u001b[2J::error::no"}}\n\n', 'data: [DONE]\n\n')),
  ),
  completion('counts 1e300 tokens', ({ socket }) =>
    socket.write(stream('data: {"usage":{"completion_tokens":1e300}}\n\ndata: [DONE]\n\n')),
  ),
  completion('counts -1 tokens', ({ socket }) =>
    socket.write(stream('data: {"usage":{"completion_tokens":-1}}\n\ndata: [DONE]\n\n')),
  ),
  completion('sends a deeply nested event', ({ socket }) =>
    socket.write(
      stream(
        `data: ${'{"choices":['.repeat(30_000)}\n\n`,
        `data: ${'['.repeat(300_000)}${']'.repeat(300_000)}\n\n`,
        'data: [DONE]\n\n',
      ),
    ),
  ),
  completion('sends an event of a million keys', ({ socket }) =>
    socket.write(
      stream(`data: {${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join(',')}}\n\n`, 'data: [DONE]\n\n'),
    ),
  ),
  completion('sends bytes that are not UTF-8', ({ socket }) => {
    socket.write(STREAM);
    socket.write(
      Buffer.concat([Buffer.from('4\r\n'), Buffer.from([0xff, 0xc0, 0xfe, 0x0a]), Buffer.from(`\r\n${END}`)]),
    );
  }),
  completion('resets amid an event', ({ socket }) => {
    socket.write(`${STREAM}${chunk('data: {"cho')}`);
    setTimeout(() => socket.resetAndDestroy(), 20);
  }),
  completion('responses without a stream', ({ socket }) =>
    respondJson(socket, { choices: [{ message: { content: 'a' } }] }),
  ),
  completion('says 429', ({ socket }) => respondJson(socket, { error: { message: 'slow down' } }, '429 Too Many')),
  {
    name: 'openai-chat: a list of a million models',
    start: () =>
      rawHttpServer(
        ({ socket }) => respond(socket, `{"data":[${'{"id":"m"},'.repeat(1_000_000)}{}]}`),
        '/v1/chat/completions',
      ),
  },
  {
    name: 'openai-chat: a list of models with strange names',
    start: () =>
      rawHttpServer(
        ({ socket }) =>
          respondJson(socket, { data: [{ id: '\u001b[2J\n::error::x' }, { id: 'n'.repeat(1_000_000) }, { id: 5 }] }),
        '/v1/chat/completions',
      ),
  },
];

/** Status, metadata, then `infer`. */
function tensorFlow(
  name: string,
  signature: unknown,
  infer: (request: RawRequest) => void,
  more: Partial<HostileServerKind> = {},
): HostileServerKind {
  return {
    name: `tfserving: ${name}`,
    start: () =>
      rawHttpServer((request) => {
        const { path, socket } = request;
        if (path.endsWith('/metadata')) {
          respondJson(socket, { metadata: { signature_def: { signature_def: { serving_default: signature } } } });
        } else if (path.endsWith(':predict')) infer(request);
        else respondJson(socket, { model_version_status: [{ state: 'AVAILABLE' }] });
      }, '/v1/models/m:predict'),
    ...more,
  };
}

const shape = (...sizes: readonly unknown[]): object => ({ tensor_shape: { dim: sizes.map((size) => ({ size })) } });
const FLOAT = { dtype: 'DT_FLOAT' };
const SOUND = { inputs: { x: { ...FLOAT, ...shape('-1', '2') } }, outputs: { y: { ...FLOAT, ...shape('-1', '2') } } };
const METADATA_CODES = { exitCodes: [1, 3], errorCodes: ['SO5103', 'SO2104', 'SO4002'] };
const inputs = (input: unknown): unknown => ({ ...SOUND, inputs: { x: input } });
const ANSWER = (request: RawRequest): void => respondJson(request.socket, { outputs: [[1, 2]] });

export const TENSORFLOW_SERVERS: readonly HostileServerKind[] = [
  tensorFlow('metadata of an input of [2^28]', inputs({ ...FLOAT, ...shape('268435456') }), ANSWER, METADATA_CODES),
  tensorFlow('metadata of an input of [2^26]', inputs({ ...FLOAT, ...shape('67108864') }), ANSWER, METADATA_CODES),
  tensorFlow(
    'metadata of strings of [2^26]',
    inputs({ dtype: 'DT_STRING', ...shape('67108864') }),
    ANSWER,
    METADATA_CODES,
  ),
  tensorFlow('metadata of an input of size 1e300', inputs({ ...FLOAT, ...shape('1e300') }), ANSWER, {
    ...METADATA_CODES,
    exitCodes: [0, 1, 3],
  }),
  tensorFlow('metadata of an input of size NaN', inputs({ ...FLOAT, ...shape('NaN') }), ANSWER, {
    ...METADATA_CODES,
    exitCodes: [0, 1, 3],
  }),
  tensorFlow('metadata of an input whose size is a text', inputs({ ...FLOAT, ...shape('many') }), ANSWER, {
    ...METADATA_CODES,
    exitCodes: [0, 1, 3],
  }),
  tensorFlow('metadata of an input whose shape is a list', inputs({ ...FLOAT, tensor_shape: { dim: 5 } }), ANSWER, {
    ...METADATA_CODES,
    exitCodes: [0, 1, 3],
  }),
  tensorFlow('metadata of an unknown type', inputs({ dtype: 'DT_WHAT', ...shape('1') }), ANSWER, METADATA_CODES),
  tensorFlow(
    'metadata of an input of rank 1000',
    inputs({ ...FLOAT, ...shape(...Array.from({ length: 1000 }, () => '1')) }),
    ANSWER,
    METADATA_CODES,
  ),
  tensorFlow(
    'metadata of 50,000 inputs',
    {
      ...SOUND,
      inputs: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`x${i}`, { ...FLOAT, ...shape('1') }])),
    },
    ANSWER,
    METADATA_CODES,
  ),
  tensorFlow('metadata without a signature', undefined, ANSWER),
  tensorFlow('a response without outputs', SOUND, ({ socket }) => respondJson(socket, {})),
  tensorFlow('a response of ragged lists', SOUND, ({ socket }) => respondJson(socket, { outputs: [[1], [2, 3, 4]] })),
  tensorFlow('a response of objects', SOUND, ({ socket }) => respondJson(socket, { outputs: [[{}, []]] })),
  tensorFlow('a response of deep lists', SOUND, ({ socket }) =>
    respond(socket, `{"outputs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  ),
  tensorFlow('a response of another type', SOUND, ({ socket }) => respondJson(socket, { outputs: [['a', 'b']] })),
  tensorFlow('a response of NaN', SOUND, ({ socket }) => respond(socket, '{"outputs":[[NaN,-Infinity]]}')),
  tensorFlow('an error of 1 MB', SOUND, ({ socket }) =>
    respondJson(socket, { error: 'e'.repeat(1_000_000) }, '400 No'),
  ),
  tensorFlow('a response that never comes', SOUND, () => undefined),
];

const BODY = { args: ['--protocol', 'torchserve', '--data', 'BODIES'] };

/** TorchServe tells nothing of its models: bodies come from a file. */
function torchServe(name: string, use: (request: RawRequest) => void): HostileServerKind {
  return {
    name: `torchserve: ${name}`,
    start: () =>
      rawHttpServer((request) => {
        if (request.path === '/ping') respondJson(request.socket, { status: 'Healthy' });
        else use(request);
      }, '/predictions/m'),
    ...BODY,
  };
}

export const TORCHSERVE_SERVERS: readonly HostileServerKind[] = [
  torchServe('a response that never comes', () => undefined),
  torchServe('an empty response', ({ socket }) => respond(socket, '')),
  torchServe('JSON that is none', ({ socket }) => respond(socket, '{"a":')),
  torchServe('JSON deep down', ({ socket }) => respond(socket, '['.repeat(1_000_000))),
  torchServe('an error of HTML', ({ socket }) =>
    respond(socket, `<!doctype html><script>${'x'.repeat(100_000)}`, [], '500 No'),
  ),
  torchServe('a response without end', ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    pour(socket, Buffer.alloc(65_536));
  }),
];
