import { createHash } from 'node:crypto';
import type { ModelConfig } from '../../proto/model-config.js';
import { binaryOnly, isLargeRequest, type RequestTensor, v2Body } from '../example-request.js';
import { type ExampleTensor, elementOf, openSize } from '../example-tensors.js';
import { shellWord } from '../shell-word.js';
import { TRITON_TYPES, wireType } from './data-types.js';
import { requestShape } from './tensor-config.js';

/** What the README of a packaged model is written from. */
export interface ReadmeFacts {
  readonly config: ModelConfig;
  /** A row that the model takes, where that is known. */
  readonly example?: readonly ExampleTensor[] | undefined;
  /** Image of the server. */
  readonly image: string;
  /** Needs a GPU. */
  readonly onGpu: boolean;
  /** Name of the repository folder, for the command that starts the server. */
  readonly repository: string;
  /** Facts that a reader should know, one sentence each. */
  readonly notes: readonly string[];
  /** What was measured, one row each. */
  readonly measured: readonly (readonly [what: string, figure: string])[];
}

/** The README of a model in a repository: how to start a server, how to call it, what was measured. */
export function tritonReadme(facts: ReadmeFacts): string {
  const { config, notes, measured } = facts;
  const { name = '' } = config;
  const request = requestTensors(facts);
  const sections = [
    `# ${name}`,
    `A model of the Triton Inference Server, written by serve-opt.`,
    tensorTable(config),
    `## Start a server`,
    `In the folder that has the repository \`${facts.repository}\`:`,
    fence('sh', serverCommand(facts)),
    'It is ready when this succeeds:',
    fence('sh', `curl -f localhost:8000/v2/models/${name}/ready`),
    `## Call it`,
    ...jsonExample(name, request),
    `With Python (\`pip install "tritonclient[all]"\`):`,
    fence('python', pythonExample(config, request)),
  ];
  if (notes.length > 0) sections.push('## Notes', notes.map((note) => `- ${markdown(note)}`).join('\n'));
  if (measured.length > 0) {
    sections.push(
      '## Measured',
      [
        '| what | figure |',
        '|---|---|',
        ...measured.map(([what, figure]) => `| ${cell(what)} | ${cell(figure)} |`),
      ].join('\n'),
    );
  }
  return signed(`${sections.join('\n\n')}\n`);
}

/** The command that starts a server with a repository. */
export function serverCommand({ image, onGpu, repository, config }: Omit<ReadmeFacts, 'notes' | 'measured'>): string {
  const gpus = onGpu ? ' --gpus=all' : '';
  const cache = config.response_cache?.enable ? ' --cache-config local,size=104857600' : '';
  return [
    `docker run --rm${gpus} --shm-size=256m -p 8000:8000 -p 8001:8001 -p 8002:8002 \\`,
    `  -v "${volume(repository)}:/models:ro" ${image} \\`,
    `  tritonserver --model-repository=/models${cache}`,
  ].join('\n');
}

/** A path for docker, inside of double quotes. */
function volume(repository: string): string {
  const path = repository.replace(/(?<=.)\/+$/, '').replace(/["$`\\]/g, '\\$&');
  return path.startsWith('/') ? path : `$PWD/${path.replace(/^\.\//, '')}`;
}

type Entry = NonNullable<ModelConfig['input']>[number] | NonNullable<ModelConfig['output']>[number];

function tensorTable({ input = [], output = [], max_batch_size: maxBatch = 0 }: ModelConfig): string {
  const row = (role: string, entry: Entry): string =>
    `| ${role} | ${cell(entry.name ?? '')} | ${wireType(String(entry.data_type))} | ${shapeText(entry, maxBatch)} |`;
  const lines = [
    '| | name | type | shape of a request |',
    '|---|---|---|---|',
    ...input.map((entry) => row('input', entry)),
    ...output.map((entry) => row('output', entry)),
  ];
  const batch =
    maxBatch > 0
      ? `The first dimension is the batch: up to ${maxBatch} rows in a request. -1 is any size.`
      : 'The server does not batch requests. -1 is any size.';
  return `${lines.join('\n')}\n\n${batch}`;
}

function shapeText(entry: Entry, maxBatch: number): string {
  return `[${requestShape(entry as Parameters<typeof requestShape>[0], maxBatch).join(', ')}]`;
}

/** A request of one row. */
function requestTensors({ config, example = [] }: ReadmeFacts): RequestTensor[] {
  const { input = [], max_batch_size: maxBatch = 0 } = config;
  return input.map((entry) => {
    const known = example.find(({ name }) => name === entry.name);
    const type = String(entry.data_type);
    return {
      name: entry.name ?? '',
      datatype: wireType(type),
      shape: exampleShape(requestShape(entry as Parameters<typeof requestShape>[0], maxBatch), known?.shape),
      element: known?.element ?? elementOf(TRITON_TYPES.find(({ config: name }) => name === type)?.onnx),
    };
  });
}

/** What is open has the size of the known shape, if that is of the same rank. */
function exampleShape(wanted: readonly number[], known: readonly number[] | undefined): number[] {
  const sizes = known?.length === wanted.length ? known : [];
  return wanted.map((size, axis) => (size > 0 ? size : (sizes[axis] ?? openSize(axis))));
}

/** A request in JSON, where the inputs are small and of types that JSON carries. */
function jsonExample(name: string, request: readonly RequestTensor[]): string[] {
  const half = binaryOnly(request);
  if (half !== undefined)
    return [`JSON has no ${half.datatype}: requests carry \`${half.name}\` as binary data, as below.`];
  if (isLargeRequest(request)) return ['The inputs are large: requests carry them as binary data, as below.'];
  const body = shellWord(v2Body(request));
  return [
    'With JSON:',
    fence('sh', `curl localhost:8000/v2/models/${name}/infer -H 'Content-Type: application/json' -d ${body}`),
  ];
}

/** Types of NumPy by those of the protocol. */
const NUMPY: ReadonlyMap<string, string> = new Map([
  ['BOOL', 'bool_'],
  ['UINT8', 'uint8'],
  ['UINT16', 'uint16'],
  ['UINT32', 'uint32'],
  ['UINT64', 'uint64'],
  ['INT8', 'int8'],
  ['INT16', 'int16'],
  ['INT32', 'int32'],
  ['INT64', 'int64'],
  ['FP16', 'float16'],
  ['FP32', 'float32'],
  ['FP64', 'float64'],
]);

function pythonExample({ name = '', output = [] }: ModelConfig, request: readonly RequestTensor[]): string {
  const lines = [
    'import numpy as np',
    'import tritonclient.http as triton',
    '',
    'client = triton.InferenceServerClient("localhost:8000")',
    'inputs = []',
  ];
  for (const { name: input, datatype, shape, element } of request) {
    const numpy = NUMPY.get(datatype);
    const sizes = `[${shape.join(', ')}]`;
    const array =
      numpy === undefined
        ? `np.full(${sizes}, b"text", dtype=np.object_)`
        : Number(element) === 1
          ? `np.ones(${sizes}, dtype=np.${numpy})`
          : `np.full(${sizes}, ${element}, dtype=np.${numpy})`;
    lines.push(
      `data = ${array}`,
      `inputs.append(triton.InferInput(${python(input)}, data.shape, ${python(datatype)}))`,
      'inputs[-1].set_data_from_numpy(data)',
    );
  }
  lines.push(`result = client.infer(${python(name)}, inputs)`);
  for (const entry of output) lines.push(`print(result.as_numpy(${python(entry.name ?? '')}))`);
  return lines.join('\n');
}

/** JSON strings are Python strings, with escapes for what is not ASCII. */
function python(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A block of code, whatever back-ticks are in it. */
function fence(language: string, code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const mark = '`'.repeat(longest + 1);
  return `${mark}${language}\n${code}\n${mark}`;
}

/** Names of tensors are a stranger's text. */
function markdown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').replace(/[\\`*_[\]<>#|]/g, '\\$&');
}

function cell(text: string): string {
  return markdown(text);
}

const SIGNATURE = /\n<!-- serve-opt: unedited ([0-9a-f]{16}) -->\n$/;

/** Ends a text with a hash of itself, so that a text that somebody edited is told from one that nobody did. */
function signed(text: string): string {
  return `${text}\n<!-- serve-opt: unedited ${shortHash(text)} -->\n`;
}

/** Whether a README is as it was written: then a newer one may take its place. */
export function isUneditedReadme(text: string): boolean {
  const [line, hash] = SIGNATURE.exec(text) ?? [];
  return line !== undefined && shortHash(text.slice(0, -line.length)) === hash;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
