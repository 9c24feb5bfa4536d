import { bug, ServeOptError } from '../errors.js';
import { DataType } from '../tensor/dtype.js';
import { float32ToFloat16 } from '../tensor/float16.js';
import { createRandom, type Random } from '../tensor/random.js';
import { elementCount } from '../tensor/tensor.js';
import type { SampleReader } from './job.js';
import { sampleShapes } from './seeded-shapes.js';
import type { Feeds, HostData, HostTensor, ValueSpec } from './types.js';

/** Most elements of a seeded input: a model that asks for more is not run without real data. */
const ELEMENT_LIMIT = 2 ** 28;

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'one', 'two', 'red', 'blue', 'yes', 'no', '', 'Zürich'];

/** See `SampleSource` in types.ts. */
export interface SeededOptions {
  readonly sizePlan?: number | undefined;
  readonly sameShapes?: boolean | undefined;
}

/**
 * Made-up samples, the same for the same seed on any machine, in any order of reading. Floats are standard normal;
 * integers keep to what the specification of the input allows (`exclusiveUpper`, `candidates`); masks are all ones.
 * Sample 0 has the plainest sizes of open dimensions, the others vary them, so samples do not stack.
 * @throws SO5006 for a type that cannot be fed, SO2104 for an absurd size; both when a sample is read.
 */
export function seededReader(
  seed: number,
  count: number,
  inputs: readonly ValueSpec[],
  { sizePlan = 0, sameShapes = false }: SeededOptions = {},
): SampleReader {
  return {
    count,
    labels: undefined,
    batchable: false,
    read(start, size) {
      if (size !== 1 || start < 0 || start >= count)
        throw bug(`seeded samples are read one at a time (${start}, ${size})`);
      return seededFeeds(seed, start, inputs, seededShapes(seed, sameShapes ? 0 : start, inputs, sizePlan));
    },
  };
}

function seededShapes(seed: number, sample: number, inputs: readonly ValueSpec[], sizePlan: number): number[][] {
  return sampleShapes(inputs, sample, createRandom(seed, sample), sizePlan);
}

/**
 * Shapes and values of one sample as `seededReader` gives them, made in parts: `pause` is called every some thousand
 * elements and may be awaited. @throws as `seededReader`, and whatever `pause` throws
 */
export async function seededFeedsInParts(
  seed: number,
  sample: number,
  inputs: readonly ValueSpec[],
  pause: () => Promise<void> | undefined,
): Promise<Feeds> {
  const making = makeFeeds(seed, sample, inputs, seededShapes(seed, sample, inputs, 0));
  for (;;) {
    const step = making.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** The shapes that the first sample has. */
export function firstShapes(inputs: readonly ValueSpec[]): number[][] {
  return seededShapes(0, 0, inputs, 0);
}

function seededFeeds(seed: number, sample: number, inputs: readonly ValueSpec[], shapes: number[][]): Feeds {
  const making = makeFeeds(seed, sample, inputs, shapes);
  for (;;) {
    const step = making.next();
    if (step.done) return step.value;
  }
}

/** Elements between two pauses. */
const PART = 1 << 16;

function* makeFeeds(
  seed: number,
  sample: number,
  inputs: readonly ValueSpec[],
  shapes: number[][],
): Generator<void, Feeds> {
  const feeds: Feeds = new Map();
  const shapeCounts = new Map<string, number>();
  for (const dims of shapes) {
    const key = dims.join(',');
    shapeCounts.set(key, (shapeCounts.get(key) ?? 0) + 1);
  }
  for (const [index, input] of inputs.entries()) {
    const dims = shapes[index] as number[];
    if (!(elementCount(dims) <= ELEMENT_LIMIT)) {
      throw new ServeOptError('SO2104', `The input "${input.name}" is too large to make up: ${input.typeText}`, {
        why: `it would be ${dims.join(' × ')}; inputs that are made up have at most ${ELEMENT_LIMIT} elements`,
        hint: 'choose smaller sizes, or give real samples with --data',
      });
    }
    const mask = isMask(input) && (shapeCounts.get(dims.join(',')) ?? 0) > 1;
    feeds.set(input.name, yield* seededTensor(input, dims, mask, createRandom(seed, sample, index + 1)));
    yield;
  }
  return feeds;
}

/** An attention mask is called so; it is one where another input has its shape. */
function isMask(input: ValueSpec): boolean {
  return /mask/i.test(input.name) && !input.candidates && input.dataType !== DataType.STRING;
}

function* seededTensor(
  input: ValueSpec,
  dims: readonly number[],
  mask: boolean,
  random: Random,
): Generator<void, HostTensor> {
  const dataType = input.dataType;
  if (dataType === undefined) throw unfeedable(input);
  const count = elementCount(dims);
  if (dataType === DataType.STRING) {
    const data: string[] = [];
    while (data.length < count) {
      data.push(WORDS[random.integer(WORDS.length)] as string);
      if (data.length % PART === 0) yield;
    }
    return { dataType, dims, data };
  }
  const next = mask ? () => 1 : numbers(input, dims, random);
  return { dataType, dims, data: yield* fill(input, dataType, count, next) };
}

/** The kind of numbers an input wants. */
function numbers(input: ValueSpec, dims: readonly number[], random: Random): () => number {
  const { dataType, candidates, exclusiveUpper } = input;
  if (candidates && candidates.length > 0) return () => candidates[random.integer(candidates.length)] as number;
  switch (dataType) {
    case DataType.FLOAT:
    case DataType.FLOAT16:
    case DataType.DOUBLE:
      return random.normal;
    case DataType.BOOL:
      return () => random.integer(2);
    default:
  }
  if (exclusiveUpper !== undefined) return () => random.integer(Math.max(1, exclusiveUpper));
  // Raw images, sound or tables of bytes.
  if (dataType === DataType.UINT8 && dims.length >= 2) return () => random.integer(256);
  if (dataType === DataType.INT8 && dims.length >= 2) return () => random.integer(256) - 128;
  // A count, a length, a flag: 1 is legal nearly everywhere. Whatever indexes a table of unknown size: its first rows.
  return dims.length <= 1 ? () => 1 : () => random.integer(2);
}

function* fill(input: ValueSpec, dataType: number, count: number, next: () => number): Generator<void, HostData> {
  switch (dataType) {
    case DataType.FLOAT:
      return yield* fillNumbers(new Float32Array(count), next);
    case DataType.FLOAT16: {
      const bits = new Uint16Array(count);
      float32ToFloat16(yield* fillNumbers(new Float32Array(count), next), bits);
      return bits;
    }
    case DataType.DOUBLE:
      return yield* fillNumbers(new Float64Array(count), next);
    case DataType.INT64:
      return yield* fillBigInts(new BigInt64Array(count), next);
    case DataType.UINT64:
      return yield* fillBigInts(new BigUint64Array(count), next);
    case DataType.INT32:
      return yield* fillNumbers(new Int32Array(count), next);
    case DataType.UINT32:
      return yield* fillNumbers(new Uint32Array(count), next);
    case DataType.INT16:
      return yield* fillNumbers(new Int16Array(count), next);
    case DataType.UINT16:
      return yield* fillNumbers(new Uint16Array(count), next);
    case DataType.INT8:
      return yield* fillNumbers(new Int8Array(count), next);
    case DataType.UINT8:
    case DataType.BOOL:
      return yield* fillNumbers(new Uint8Array(count), next);
    default:
      throw unfeedable(input);
  }
}

type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

function* fillNumbers<T extends NumberArray>(array: T, next: () => number): Generator<void, T> {
  for (let from = 0; from < array.length; from += PART) {
    const end = Math.min(array.length, from + PART);
    for (let i = from; i < end; i++) array[i] = next();
    if (end < array.length) yield;
  }
  return array;
}

function* fillBigInts<T extends BigInt64Array | BigUint64Array>(array: T, next: () => number): Generator<void, T> {
  for (let from = 0; from < array.length; from += PART) {
    const end = Math.min(array.length, from + PART);
    for (let i = from; i < end; i++) array[i] = BigInt(next());
    if (end < array.length) yield;
  }
  return array;
}

function unfeedable(input: ValueSpec): ServeOptError {
  return new ServeOptError(
    'SO5006',
    `No values can be made up for the input "${input.name}" of type ${input.typeText}`,
    {
      hint: 'add --no-verify to skip running the model',
    },
  );
}
