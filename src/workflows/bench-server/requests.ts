import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileError } from '../../codec/byte-source.js';
import { readSmallFile } from '../../codec/small-file.js';
import { encodeUtf8 } from '../../codec/utf8.js';
import { ServeOptError } from '../../errors.js';
import type { DataReading } from '../../samples/data-reading.js';
import { openDataset } from '../../samples/dataset/open-dataset.js';
import { textLines } from '../../samples/dataset/text-lines.js';
import { seededFeedsInParts } from '../../samples/seeded-reader.js';
import type { Feeds, ValueSpec } from '../../samples/types.js';
import type { PreparedRequest, RawBody, ServerClient } from '../../serving/client.js';
import type { Pace } from '../../serving/pace.js';
import { checkRequestSize, type SizedTensor } from '../../serving/request-size.js';
import { createRandom } from '../../tensor/random.js';
import { type ChosenDim, fixInputs } from './inputs.js';

/** Requests as they are sent in turn, and what they hold. */
export interface Requests {
  readonly prepared: readonly PreparedRequest[];
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly dims: readonly ChosenDim[];
  readonly batchSize: number;
  /** Name of the data, or `synthetic`. */
  readonly source: string;
  readonly warnings: readonly string[];
}

export interface RequestOptions {
  readonly dataPath?: string;
  /** How its images and texts are read. */
  readonly reading?: DataReading;
  readonly seed: number;
  readonly batchSize: number;
  readonly dims: readonly ChosenDim[];
  /** Of a synthetic prompt. */
  readonly promptWords: number;
  /** Most bytes of one request, all inputs together. */
  readonly maximumRequestBytes: number;
  /** Making and encoding give way by it. */
  readonly pace: Pace;
}

/** Different requests, taken in turn: enough that no cache serves them all, few enough to prepare at once. */
const SYNTHETIC_REQUESTS = 8;
const MAX_REQUESTS = 64;
const MAX_BYTES = 64 * 1024 * 1024;
const SYNTHETIC = 'synthetic';

/** Requests of tensors, from data or synthetic. @throws SO1006, SO4001 to SO4004 */
export async function tensorRequests(
  client: ServerClient,
  specs: readonly ValueSpec[],
  options: RequestOptions,
): Promise<Requests> {
  const { pace, maximumRequestBytes } = options;
  const fixed = fixInputs(specs, options.batchSize, options.dims);
  const { batchSize, dims, inputs } = fixed;
  const described = inputs.map(({ name, typeText }) => ({ name, type: typeText }));
  const prepared: PreparedRequest[] = [];
  const prepare = async (feeds: Feeds): Promise<void> => {
    const tensors = [...feeds].map(([name, { dataType, dims }]) => ({ name, dataType, dims }));
    checkRequestSize(tensors, (dataType) => client.elementBytes(dataType), maximumRequestBytes);
    prepared.push(withRows(await client.prepare(feeds, pace), batchSize));
  };
  if (options.dataPath === undefined) {
    checkRequestSize(sizedTensors(inputs), (dataType) => client.elementBytes(dataType), maximumRequestBytes);
    for (let index = 0; index < SYNTHETIC_REQUESTS && hasRoom(prepared); index++) {
      await prepare(await seededFeedsInParts(options.seed, index, inputs, () => pace.rest()));
    }
    return { prepared, inputs: described, dims, batchSize, source: SYNTHETIC, warnings: [] };
  }
  const reader = await openDataset(
    options.dataPath,
    batchSize === 1 ? inputs : fixed.unbatched,
    options.reading ? { reading: options.reading } : {},
  );
  try {
    if (batchSize > 1 && !reader.batchable) {
      throw new ServeOptError('SO4002', 'These samples cannot be stacked: their shapes differ', { hint: '--batch 1' });
    }
    if (batchSize > reader.count) {
      throw new ServeOptError('SO4002', `The ${reader.count} samples are too few for a batch of ${batchSize}`);
    }
    const step = Math.max(batchSize, reader.block ?? 1);
    for (let at = 0; at + step <= reader.count && hasRoom(prepared); at += step) {
      await prepare(await reader.read(at, step));
      await pace.rest();
    }
    const source = basename(options.dataPath);
    return { prepared, inputs: described, dims, batchSize, source, warnings: reader.warnings ?? [] };
  } finally {
    await reader.close?.();
  }
}

/** Inputs whose sizes are all fixed. */
function sizedTensors(inputs: readonly ValueSpec[]): SizedTensor[] {
  return inputs.flatMap(({ name, dataType, shape = [] }) =>
    dataType === undefined ? [] : [{ name, dataType, dims: shape.map(Number) }],
  );
}

function withRows(request: PreparedRequest, samples: number): PreparedRequest {
  return request.samples === samples ? request : { ...request, samples };
}

function hasRoom(prepared: readonly PreparedRequest[]): boolean {
  const bytes = prepared.reduce((sum, { body }) => sum + body.byteLength, 0);
  return prepared.length < MAX_REQUESTS && bytes < MAX_BYTES;
}

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.json', 'application/json'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.png', 'image/png'],
  ['.wav', 'audio/wav'],
]);

/** Bodies as they stand in files: each line of a .jsonl, a whole file of another kind, or each file of a folder. */
export function rawRequests(
  prepareRaw: (raw: RawBody) => PreparedRequest,
  path: string,
): Omit<Requests, 'batchSize' | 'dims'> {
  const prepared: PreparedRequest[] = [];
  for (const raw of rawBodies(path)) {
    prepared.push(prepareRaw(raw));
    if (!hasRoom(prepared)) break;
  }
  if (prepared.length === 0) throw new ServeOptError('SO4004', `"${basename(path)}" has no request bodies`);
  return { prepared, inputs: [{ name: 'body', type: 'bytes' }], source: basename(path), warnings: [] };
}

function* rawBodies(path: string): Generator<RawBody> {
  let files: readonly string[];
  try {
    files = statSync(path).isDirectory()
      ? readdirSync(path, { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(path, entry.name))
          .sort()
      : [path];
  } catch (cause) {
    throw fileError(path, cause);
  }
  for (const file of files) {
    const extension = extname(file).toLowerCase();
    if (extension === '.jsonl' || extension === '.ndjson') {
      for (const { text } of textLines(file)) yield { body: encodeUtf8(text), contentType: 'application/json' };
      continue;
    }
    yield {
      body: readSmallFile(file, MAX_BYTES),
      contentType: CONTENT_TYPES.get(extension) ?? 'application/octet-stream',
    };
  }
}

const WORDS =
  'time light water stone river garden window letter market bridge summer winter morning evening story colour number question answer island'.split(
    ' ',
  );

/** Requests for completions: prompts of a file (lines, or JSON with `prompt` or `text`), or synthetic, of so many words. */
export function promptRequests(
  preparePrompt: (prompt: string) => PreparedRequest,
  options: RequestOptions,
): Omit<Requests, 'batchSize' | 'dims'> {
  const prompts: string[] = [];
  if (options.dataPath === undefined) {
    for (let index = 0; index < SYNTHETIC_REQUESTS; index++) {
      const random = createRandom(options.seed, index);
      prompts.push(Array.from({ length: options.promptWords }, () => WORDS[random.integer(WORDS.length)]).join(' '));
    }
  } else {
    const file = basename(options.dataPath);
    const json = /\.(jsonl|ndjson)$/i.test(options.dataPath);
    for (const { text, number } of textLines(options.dataPath)) {
      prompts.push(json ? promptOf(text, `"${file}", line ${number},`) : text);
      if (prompts.length === MAX_REQUESTS) break;
    }
    if (prompts.length === 0) throw new ServeOptError('SO4004', `"${file}" has no prompts`);
  }
  const source = options.dataPath === undefined ? SYNTHETIC : basename(options.dataPath);
  return { prepared: prompts.map(preparePrompt), inputs: [{ name: 'prompt', type: 'text' }], source, warnings: [] };
}

function promptOf(line: string, where: string): string {
  try {
    const value: unknown = JSON.parse(line);
    const fields = typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
    const prompt = fields?.get('prompt') ?? fields?.get('text') ?? value;
    if (typeof prompt === 'string') return prompt;
  } catch {
    // Reported below.
  }
  throw new ServeOptError('SO4001', `${where} has no prompt`, {
    why: 'it must be a string, or an object with "prompt" or "text"',
  });
}
