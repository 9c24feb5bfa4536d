import { createHash } from 'node:crypto';
import type { ModelConfig } from '../../proto/model-config.js';
import { wireType } from './data-types.js';
import { requestShape } from './tensor-config.js';

/** What the README of a packaged model is written from. */
export interface ReadmeFacts {
  readonly config: ModelConfig;
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

/** Sizes of open dimensions in examples. */
const EXAMPLE_SIZE = 4;
/** Elements of a tensor that an example of JSON spells out. */
const MOST_ELEMENTS = 64;

/** The README of a model in a repository: how to start a server, how to call it, what was measured. */
export function tritonReadme(facts: ReadmeFacts): string {
  const { config, notes, measured } = facts;
  const { name = '' } = config;
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
    ...jsonExample(config),
    `With Python (\`pip install "tritonclient[all]"\`):`,
    fence('python', pythonExample(config)),
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

/** A request in JSON, where the inputs are small and of types that JSON carries. */
function jsonExample({ name = '', input = [], max_batch_size: maxBatch = 0 }: ModelConfig): string[] {
  const shapes = input.map((entry) => exampleShape(entry, maxBatch));
  const tooLarge = shapes.some((shape) => count(shape) > MOST_ELEMENTS);
  const half = input.find((entry) => entry.data_type === 'TYPE_FP16' || entry.data_type === 'TYPE_BF16');
  if (half !== undefined)
    return [
      `JSON has no ${wireType(String(half.data_type))}: requests carry \`${half.name}\` as binary data, as below.`,
    ];
  if (tooLarge) return ['The inputs are large: requests carry them as binary data, as below.'];
  const body = {
    inputs: input.map((entry, index) => ({
      name: entry.name,
      shape: shapes[index],
      datatype: wireType(String(entry.data_type)),
      data: Array.from({ length: count(shapes[index] ?? []) }, () => exampleValue(String(entry.data_type))),
    })),
  };
  return [
    'With JSON:',
    fence(
      'sh',
      `curl localhost:8000/v2/models/${name}/infer -H 'Content-Type: application/json' -d ${shellQuoted(JSON.stringify(body))}`,
    ),
  ];
}

function exampleShape(entry: Entry, maxBatch: number): number[] {
  return requestShape(entry as Parameters<typeof requestShape>[0], maxBatch).map((size, axis) =>
    size > 0 ? size : axis === 0 && maxBatch > 0 ? 1 : EXAMPLE_SIZE,
  );
}

function exampleValue(type: string): string | number | boolean {
  if (type === 'TYPE_STRING') return 'text';
  return type === 'TYPE_BOOL' ? true : 1;
}

const NUMPY: ReadonlyMap<string, string> = new Map([
  ['TYPE_BOOL', 'bool_'],
  ['TYPE_UINT8', 'uint8'],
  ['TYPE_UINT16', 'uint16'],
  ['TYPE_UINT32', 'uint32'],
  ['TYPE_UINT64', 'uint64'],
  ['TYPE_INT8', 'int8'],
  ['TYPE_INT16', 'int16'],
  ['TYPE_INT32', 'int32'],
  ['TYPE_INT64', 'int64'],
  ['TYPE_FP16', 'float16'],
  ['TYPE_FP32', 'float32'],
  ['TYPE_FP64', 'float64'],
]);

function pythonExample({ name = '', input = [], output = [], max_batch_size: maxBatch = 0 }: ModelConfig): string {
  const lines = [
    'import numpy as np',
    'import tritonclient.http as triton',
    '',
    'client = triton.InferenceServerClient("localhost:8000")',
    'inputs = []',
  ];
  for (const entry of input) {
    const shape = exampleShape(entry, maxBatch);
    const type = String(entry.data_type);
    const numpy = NUMPY.get(type);
    const array =
      numpy === undefined
        ? `np.full([${shape.join(', ')}], b"text", dtype=np.object_)`
        : `np.ones([${shape.join(', ')}], dtype=np.${numpy})`;
    lines.push(
      `data = ${array}`,
      `inputs.append(triton.InferInput(${python(entry.name ?? '')}, data.shape, ${python(wireType(type))}))`,
      'inputs[-1].set_data_from_numpy(data)',
    );
  }
  lines.push(`result = client.infer(${python(name)}, inputs)`);
  for (const entry of output) lines.push(`print(result.as_numpy(${python(entry.name ?? '')}))`);
  return lines.join('\n');
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** JSON strings are Python strings, with escapes for what is not ASCII. */
function python(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
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
