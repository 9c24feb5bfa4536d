/** Statistics of tensors over samples, in slices of a model that fit into memory. */
import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import type { Value } from '../ir/value.js';
import type { ChannelShape } from '../quantize/expose-ranges.js';
import { exposedBytes, exposeSizes, exposeValues, mainGraphValues } from '../quantize/expose-values.js';
import type { StatisticsData } from '../quantize/observers/tensor-statistics.js';
import type { RuntimeHost } from '../runtime/host.js';
import { writeRunnable } from '../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../runtime/session-options.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import type { SampleSource } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { CALIBRATE_DEFAULTS, type CalibrateOptions } from './calibrate-options.js';
import type { WorkflowContext } from './options.js';
import { asInvalidModel } from './preflight/model.js';
import { sessionOptions } from './workbench/execution-session.js';
import { fitSource } from './workbench/fit-source.js';

/** Of the memory of the child: outputs are held by ONNX Runtime and, for a moment, by us. */
const EXPOSED_SHARE = 1 / 4;
const BYTES_PER_ELEMENT = 4;

/** Samples whose open sizes are chosen so that the model runs. @throws SO5002 where none are found */
export async function fittedSource(
  runtime: RuntimeHost,
  session: number,
  model: Model,
  source: SampleSource,
): Promise<SampleSource> {
  const fitted = await fitSource(runtime, session, inputSpecs(model), source);
  if (typeof fitted !== 'string') return fitted;
  throw new ServeOptError('SO5002', `The model cannot be calibrated: ${fitted}`, {
    hint: 'give real samples with --data, or sizes with --dim',
  });
}

/** What is observed. */
export interface ObservedTensors {
  readonly names: readonly string[];
  /** Tensors of which the mean square of each channel is wanted. */
  readonly channels: ReadonlyMap<string, ChannelShape> | undefined;
  readonly source: SampleSource;
}

/**
 * Statistics of the named tensors of the main graph. Where all of them together take more than a share of the memory in one run, the samples run
 * several times, each time with the tensors of one slice.
 * @param memoryBytes of the child
 */
export async function observeTensors(
  runtime: RuntimeHost,
  model: Model,
  { names, channels, source }: ObservedTensors,
  options: CalibrateOptions,
  memoryBytes: number,
  context: WorkflowContext = {},
): Promise<{ readonly statistics: ReadonlyMap<string, StatisticsData>; readonly samples: number }> {
  const sizes = await valueBytes(runtime, model, names, source, options);
  const slices = sliced(sizes, memoryBytes * EXPOSED_SHARE);
  const statistics = new Map<string, StatisticsData>();
  let samples = 0;
  for (const [index, slice] of slices.entries()) {
    const augmented = model.clone();
    const values = exposeValues(augmented, mainGraphValues(augmented, slice), channels);
    await withObserved(runtime, augmented, options, async (session) => {
      const params = {
        session,
        source: await fittedSource(runtime, session, model, source),
        inputs: inputSpecs(model),
        batchSize: options.batch ?? CALIBRATE_DEFAULTS.batch,
      };
      const result = await runtime.request(
        'statistics',
        { ...params, values },
        {
          onProgress: ({ done, total }) => {
            const stage = { kind: 'advance', stage: 'calibrate' } as const;
            context.onProgress?.({ ...stage, done: index * total + done, total: slices.length * total });
          },
        },
      );
      for (const [name, each] of result.statistics) statistics.set(name, each);
      samples = result.samples;
    });
  }
  return { statistics, samples };
}

/** Loads a model that is only there to be observed, and forgets it again. */
async function withObserved<T>(
  runtime: RuntimeHost,
  augmented: Model,
  options: CalibrateOptions,
  use: (session: number) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(augmented, folder);
    const load = { path, options: withOptions(SESSIONS.observed, sessionOptions(options)) };
    const { session } = await runtime.request('load', load).catch((error: unknown) => {
      throw asUnplaced(error);
    });
    const result = await use(session);
    await runtime.request('release', { session });
    return result;
  });
}

/** Bytes that each tensor takes in a run; where types do not say, as the first sample shows. */
async function valueBytes(
  runtime: RuntimeHost,
  model: Model,
  names: readonly string[],
  source: SampleSource,
  options: CalibrateOptions,
): Promise<ReadonlyMap<string, number>> {
  const batch = options.batch ?? CALIBRATE_DEFAULTS.batch;
  const bytes = new Map<string, number>();
  const unknown: Value[] = [];
  for (const value of mainGraphValues(model, names)) {
    const known = exposedBytes(value, batch);
    if (known === undefined) unknown.push(value);
    else bytes.set(value.name, known);
  }
  if (unknown.length === 0) return bytes;
  const augmented = model.clone();
  const values = mainGraphValues(
    augmented,
    unknown.map(({ name }) => name),
  );
  const observed = exposeSizes(augmented, values);
  await withObserved(runtime, augmented, options, async (session) => {
    const first = { ...(await fittedSource(runtime, session, model, source)), count: 1 };
    const params = { session, source: first, inputs: inputSpecs(model), batchSize: 1, observed };
    const { ranges } = await runtime.request('ranges', params);
    for (const { tensor } of observed) bytes.set(tensor, (ranges.get(tensor)?.max ?? 0) * BYTES_PER_ELEMENT * batch);
  });
  return bytes;
}

/** Names in groups that take no more than `limit` together; one that takes more is alone. */
function sliced(bytes: ReadonlyMap<string, number>, limit: number): string[][] {
  const slices: string[][] = [];
  let left = 0;
  for (const [name, size] of bytes) {
    if (slices.length === 0 || size > left) {
      slices.push([]);
      left = limit;
    }
    slices.at(-1)?.push(name);
    left -= size;
  }
  return slices;
}

/** A refusal without the path of a working copy, which is gone when it is read. */
export function asUnplaced(error: unknown): unknown {
  if (!(error instanceof ServeOptError) || error.code !== 'SO5001') return error;
  return asInvalidModel(new ServeOptError(error.code, error.message, { cause: error }), {});
}
