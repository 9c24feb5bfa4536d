import { statSync } from 'node:fs';
import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { availableMemory, howToAllow } from '../machine/available-memory.js';
import { whyTooLarge, whyTooLong } from '../ops/footprint/describe-footprint.js';
import { type Footprint, largerFootprint } from '../ops/footprint/footprint.js';
import { modelFootprint } from '../ops/footprint/model-footprint.js';
import type { RuntimeOptions } from '../runtime/host.js';
import { checkInputSizes, plainPlan } from '../samples/seeded-reader.js';
import { SIZE_PLAN_COUNT, sampleShapes } from '../samples/seeded-shapes.js';
import type { ValueSpec } from '../samples/types.js';
import { formatBytes, parseBytes, roundedUpBytes } from '../tensor/byte-size.js';
import { createRandom } from '../tensor/random.js';
import type { ExecutionOptions, MemoryOptions, WorkflowContext } from './options.js';
import type { ReadingOptions } from './reading-options.js';

/** The process that runs models takes 110 MB before it has seen one. */
const LEAST_BYTES = 256e6;
/** What any model gets, and how often its size on disk: a session holds weights once or twice, and up to three are loaded. */
const BASE_BYTES = 2 ** 30;
const COPIES_OF_WEIGHTS = 4;
/** Of the memory that is available. */
const SHARE_AVAILABLE = 0.5;

/** Bytes of an option such as `2GB`. @throws SO1006 */
export function memoryBytes(memory: number | string): number {
  const bytes = typeof memory === 'number' ? memory : parseBytes(memory);
  if (bytes !== undefined && bytes >= LEAST_BYTES && Number.isFinite(bytes)) return bytes;
  throw new ServeOptError('SO1006', `The value "${memory}" of --mem is not allowed`, {
    why: `it must be a size with a unit, at least ${roundedUpBytes(LEAST_BYTES)}: ONNX Runtime itself needs some of it`,
    hint: 'write 512MB, 2GB or 1.5GiB',
  });
}

/** What a command may take where nothing is said: enough for the model, and never more than half of what is available. */
export function defaultMemoryBytes(modelBytes: number, availableBytes: number): number {
  const wanted = BASE_BYTES + COPIES_OF_WEIGHTS * modelBytes;
  return Math.max(LEAST_BYTES, Math.min(SHARE_AVAILABLE * availableBytes, wanted));
}

/**
 * Most bytes that each child process of a command may take.
 * @param models models that are loaded beside each other
 * @param processes that live at once: they share what is given
 * @throws SO1006 where the option is no size
 */
export function memoryLimit({ memory }: MemoryOptions, models: readonly Model[], processes = 1): number {
  if (memory !== undefined) return Math.max(LEAST_BYTES, memoryBytes(memory) / processes);
  const ofFiles = models.reduce((sum, model) => sum + modelFileBytes(model), 0);
  return defaultMemoryBytes(ofFiles, availableMemory() / processes);
}

/** The model file and its data files. */
function modelFileBytes({ source }: Model): number {
  if (!source) return 0;
  let bytes = source.sizeBytes;
  // A file that is gone is missed where it is read.
  for (const path of source.externalPaths()) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/** Node runs, those of iterations each, in one run of a model: it takes about a second for each million. */
const MOST_NODE_RUNS = 10_000_000;

export interface RunSizes {
  /** What is fed, open sizes as far as they are chosen. */
  readonly inputs: readonly ValueSpec[];
  /** Inputs are synthetic: their open sizes are known then. */
  readonly madeUp: boolean;
  /** Whoever runs it wants to know how long it takes, and has a limit of time for it. Default false. */
  readonly mayTakeLong?: boolean;
}

/** Sizes that the user gave. */
interface DimOptions {
  readonly dims?: ReadonlyMap<string, number>;
}

/** What the process of a command is started with. */
export function runtimeOptions(
  { signal, threads, reading, dims }: WorkflowContext & ExecutionOptions & ReadingOptions & DimOptions,
  memoryBytes: number,
): RuntimeOptions {
  return {
    memoryBytes,
    ...(signal ? { signal } : {}),
    ...(threads === undefined ? {} : { threads }),
    ...(reading || dims ? { reading: { ...reading, ...(dims ? { cacheSizes: Object.fromEntries(dims) } : {}) } } : {}),
  };
}

/** As `checkMemory`, but gives the error back. */
export function whyOverMemory(model: Model, limitBytes: number, sizes: RunSizes): ServeOptError | undefined {
  try {
    checkMemory(model, limitBytes, sizes);
    return undefined;
  } catch (error) {
    if (error instanceof ServeOptError && (error.code === 'SO2105' || error.code === 'SO2104')) return error;
    throw error;
  }
}

/**
 * Refuses to run a model that is sure to need more memory than is allowed, before anything is loaded or synthesized.
 * @throws SO2105 naming the input or the node that wants most, SO2104 for a loop that does not come to an end
 */
export function checkMemory(model: Model, limitBytes: number, { inputs, madeUp, mayTakeLong }: RunSizes): void {
  const fixed = new Map(inputs.flatMap(({ name, shape }) => (isFixed(shape) ? [[name, shape] as const] : [])));
  checkInputSizes(
    inputs.filter(({ name }) => fixed.has(name)),
    [...fixed.values()],
    limitBytes,
  );
  const base = modelFootprint(model, { inputDims: fixed });
  const tooLong = mayTakeLong ? undefined : whyTooLong(base, MOST_NODE_RUNS);
  if (tooLong !== undefined)
    throw new ServeOptError('SO2104', tooLong, { hint: 'add --no-verify to skip running the model' });
  refuse(base, limitBytes);
  const isOpen = inputs.some(({ name }) => !fixed.has(name));
  if (!madeUp || !isOpen) return;
  let first: Footprint | undefined;
  const plain = plainPlan(inputs);
  // Any of the plans will do.
  for (let plan = 0; plan < SIZE_PLAN_COUNT; plan++) {
    const shapes = sampleShapes(inputs, 0, createRandom(0, 0), { ...plain, sizes: plan });
    const inputDims = new Map(inputs.map(({ name }, index) => [name, shapes[index] ?? []]));
    const footprint = largerFootprint(base, modelFootprint(model, { inputDims }));
    if (footprint.peakBytes <= limitBytes) return;
    first ??= footprint;
  }
  if (first) refuse(first, limitBytes);
}

function isFixed(shape: ValueSpec['shape']): shape is readonly number[] {
  return shape?.every((dim) => typeof dim === 'number') ?? false;
}

function refuse(footprint: Footprint, limitBytes: number): void {
  const reason = whyTooLarge(footprint, limitBytes);
  if (reason === undefined) return;
  const { peakBytes, largest } = footprint;
  throw new ServeOptError('SO2105', reason, {
    why: `a run of the model needs at least ${formatBytes(peakBytes)}`,
    hint: howToAllow(peakBytes),
    ...(largest?.node.name ? { location: { node: largest.node.name } } : {}),
  });
}
