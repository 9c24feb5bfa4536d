import { bug, ServeOptError } from '../errors.js';
import { howToAllow } from '../machine/available-memory.js';
import { typeBytes } from '../ops/footprint/type-bytes.js';
import { formatBytes } from '../tensor/byte-size.js';
import { DataType } from '../tensor/dtype.js';
import { float32ToFloat16 } from '../tensor/float16.js';
import { createRandom, type Random } from '../tensor/random.js';
import { elementCount } from '../tensor/tensor.js';
import { totalGuesses } from './decoder-inputs.js';
import type { SampleReader } from './sample-reader.js';
import { scalarValues, variedFloats } from './scalar-values.js';
import { sampleShapes } from './seeded-shapes.js';
import type { Feeds, HostData, HostTensor, SeedPlan, ValueSpec } from './types.js';

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'one', 'two', 'red', 'blue', 'yes', 'no', '', 'Zürich'];

/** See `SampleSource` in types.ts. */
export interface SeededOptions {
  readonly plan?: SeedPlan | undefined;
  readonly sameShapes?: boolean | undefined;
  /** Most bytes that all inputs of a sample may take; no limit when absent. */
  readonly memoryBytes?: number | undefined;
}

/**
 * Synthetic samples, the same for the same seed on any machine, in any order of reading. Floats are standard normal;
 * integers keep to what the specification of the input allows (`exclusiveUpper`, `candidates`); masks are all ones; flags
 * and scalars take their values in turn. Sample 0 has the plainest sizes of open dimensions, the others vary them, so
 * samples do not stack.
 * @throws SO5006 for a type that cannot be fed, SO2105 for more than `memoryBytes`; both when a sample is read.
 */
export function seededReader(
  seed: number,
  count: number,
  inputs: readonly ValueSpec[],
  { plan = plainPlan(inputs), sameShapes = false, memoryBytes = Number.POSITIVE_INFINITY }: SeededOptions = {},
): SampleReader {
  return {
    count,
    labels: undefined,
    batchable: false,
    read(start, size) {
      if (size !== 1 || start < 0 || start >= count)
        throw bug(`seeded samples are read one at a time (${start}, ${size})`);
      const sample = plan.samples?.[start] ?? start;
      const turn = sameShapes ? 0 : sample;
      const shapes = seededShapes(seed, turn, inputs, plan);
      checkInputSizes(inputs, shapes, memoryBytes);
      return seededFeeds({ seed, sample, turn, inputs, shapes, plan });
    },
  };
}

/** The plainest plan: masks of decoders are as long as their past and what is new. */
export function plainPlan(inputs: readonly ValueSpec[]): SeedPlan {
  const [totals] = totalGuesses(inputs);
  return totals ? { sizes: 0, totals } : { sizes: 0 };
}

/** The shapes of a sample, input by input. */
export function seededShapes(seed: number, sample: number, inputs: readonly ValueSpec[], plan: SeedPlan): number[][] {
  const shaped = plan.shapes === undefined ? sample : sample % plan.shapes;
  return sampleShapes(inputs, shaped, createRandom(seed, shaped), plan);
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
  const plan = plainPlan(inputs);
  const shapes = seededShapes(seed, sample, inputs, plan);
  checkElements(inputs, shapes);
  const making = makeFeeds({ seed, sample, turn: sample, inputs, shapes, plan });
  for (;;) {
    const step = making.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** The shapes that the first sample has. @param sizePlan row of the table of sizes */
export function firstShapes(inputs: readonly ValueSpec[], sizePlan = 0): number[][] {
  return seededShapes(0, 0, inputs, { ...plainPlan(inputs), sizes: sizePlan });
}

/** Most elements of an input that is made in parts. */
const ELEMENT_LIMIT = 2 ** 28;

/** @throws SO2104 */
function checkElements(inputs: readonly ValueSpec[], shapes: readonly number[][]): void {
  for (const [index, input] of inputs.entries()) {
    const dims = shapes[index] ?? [];
    if (elementCount(dims) <= ELEMENT_LIMIT) continue;
    throw new ServeOptError('SO2104', `The input "${input.name}" is too large to generate: ${input.typeText}`, {
      why: `it would be ${dims.join(' × ')}; synthetic inputs have at most ${ELEMENT_LIMIT} elements`,
      hint: 'choose smaller sizes, or give real samples with --data',
    });
  }
}

/** Typed arrays end somewhere below, whatever memory there is. */
const MOST_ELEMENTS = 2 ** 31;

/** @throws SO2105 naming the input that takes most, before anything is made */
export function checkInputSizes(
  inputs: readonly ValueSpec[],
  shapes: readonly (readonly number[])[],
  memoryBytes: number,
): void {
  let total = 0;
  let largest: { readonly input: ValueSpec; readonly dims: readonly number[]; readonly bytes: number } | undefined;
  for (const [index, input] of inputs.entries()) {
    const dims = shapes[index] ?? [];
    const bytes =
      typeBytes({ kind: 'tensor', dataType: input.dataType ?? DataType.FLOAT, shape: dims }, NO_SYMBOLS) ?? 0;
    total += bytes;
    if (!largest || bytes > largest.bytes) largest = { input, dims, bytes };
  }
  if (!largest || (total <= memoryBytes && elementCount(largest.dims) <= MOST_ELEMENTS)) return;
  throw inputTooLarge(largest, total, memoryBytes);
}

const NO_SYMBOLS: ReadonlyMap<string, number> = new Map();

function inputTooLarge(
  { input, dims, bytes }: { readonly input: ValueSpec; readonly dims: readonly number[]; readonly bytes: number },
  total: number,
  memoryBytes: number,
): ServeOptError {
  const limit = Number.isFinite(memoryBytes) ? `the limit is ${formatBytes(memoryBytes)} (--mem)` : 'that is too much';
  const all = total > bytes ? `, all inputs ${formatBytes(total)}` : '';
  return new ServeOptError(
    'SO2105',
    `The input "${input.name}" of type ${input.typeText} would take ${formatBytes(bytes)}${all}; ${limit}`,
    {
      why: `it would be ${dims.join(' × ')}`,
      hint: howToAllow(2 * total),
    },
  );
}

/** One sample to make. */
interface SampleToMake {
  readonly seed: number;
  readonly sample: number;
  /** What scalars and shapes go by: the sample, or 0 where all samples are to have the same. */
  readonly turn: number;
  readonly inputs: readonly ValueSpec[];
  readonly shapes: readonly number[][];
  readonly plan: SeedPlan;
}

function seededFeeds(wanted: SampleToMake): Feeds {
  const making = makeFeeds(wanted);
  for (;;) {
    const step = making.next();
    if (step.done) return step.value;
  }
}

/** Elements between two pauses. */
const PART = 1 << 16;

function* makeFeeds({ seed, sample, turn, inputs, shapes, plan }: SampleToMake): Generator<void, Feeds> {
  const feeds: Feeds = new Map();
  const shapeCounts = new Map<string, number>();
  for (const dims of shapes) {
    const key = dims.join(',');
    shapeCounts.set(key, (shapeCounts.get(key) ?? 0) + 1);
  }
  const totals = new Set((plan.totals ?? []).map(({ input }) => input));
  const scalars = scalarValues(inputs, shapes, plan, turn);
  for (const [index, input] of inputs.entries()) {
    const dims = shapes[index] as number[];
    const random = createRandom(seed, sample, index + 1);
    const mask = isMask(input) && (totals.has(input.name) || (shapeCounts.get(dims.join(',')) ?? 0) > 1);
    const scalar = mask ? 1 : scalars.get(input.name);
    const next = scalar === undefined ? variedFloats(input, sample, numbers(input, dims, random)) : () => scalar;
    feeds.set(input.name, yield* seededTensor(input, dims, next, random));
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
  next: () => number,
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

/** Beyond so many elements an input repeats itself: drawing hundreds of millions would take minutes. */
const PERIOD = 2 ** 24;

function* fillNumbers<T extends NumberArray>(array: T, next: () => number): Generator<void, T> {
  const drawn = Math.min(array.length, PERIOD);
  for (let from = 0; from < drawn; from += PART) {
    const end = Math.min(drawn, from + PART);
    for (let i = from; i < end; i++) array[i] = next();
    if (end < array.length) yield;
  }
  return yield* repeated(array);
}

function* fillBigInts<T extends BigInt64Array | BigUint64Array>(array: T, next: () => number): Generator<void, T> {
  const drawn = Math.min(array.length, PERIOD);
  for (let from = 0; from < drawn; from += PART) {
    const end = Math.min(drawn, from + PART);
    for (let i = from; i < end; i++) array[i] = BigInt(next());
    if (end < array.length) yield;
  }
  return yield* repeated(array);
}

function* repeated<T extends NumberArray | BigInt64Array | BigUint64Array>(array: T): Generator<void, T> {
  for (let at = PERIOD; at < array.length; at += PERIOD) {
    array.copyWithin(at, 0, Math.min(PERIOD, array.length - at));
    yield;
  }
  return array;
}

function unfeedable(input: ValueSpec): ServeOptError {
  return new ServeOptError(
    'SO5006',
    `Cannot generate synthetic values for the input "${input.name}" of type ${input.typeText}`,
    {
      hint: 'add --no-verify to skip running the model',
    },
  );
}
