import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { assertUsable } from '../ir/usable.js';
import { inferTypes } from '../ops/infer-types.js';
import { type ChannelShape, exposeRanges } from '../quantize/expose-ranges.js';
import { mainGraphValues } from '../quantize/expose-values.js';
import { type ObserverName, observed, observedRange } from '../quantize/observers/index.js';
import type { StatisticsData } from '../quantize/observers/tensor-statistics.js';
import { headChannels, planStatic } from '../quantize/plan.js';
import { type NumberRange, U8_ACTIVATIONS } from '../quantize/scheme.js';
import type { RangeMap, ValueRange } from '../quantize/value-range.js';
import { type RuntimeHost, startRuntime } from '../runtime/host.js';
import { writeRunnable } from '../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../runtime/session-options.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import { sampleSource } from '../samples/sample-source.js';
import type { SampleSource } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { CALIBRATE_DEFAULTS, type CalibrateOptions } from './calibrate-options.js';
import { checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import { asUnplaced, fittedSource, observeTensors } from './observe-tensors.js';
import type { WorkflowContext } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkDataPaths } from './preflight/data.js';
import { withSizes } from './preflight/input-sizes.js';
import { checkProviders } from './preflight/providers.js';
import { WatchedInputs } from './watched-inputs.js';
import { sessionOptions } from './workbench/execution-session.js';

/** What `calibrate` found. */
export interface Calibration {
  /** Smallest and largest finite value of each tensor over all samples. */
  readonly ranges: RangeMap;
  readonly samples: number;
  /** Tensors that gave NaN or infinities, with the number of such values; where only smallest and largest values were seen, of runs. */
  readonly nonFinite: ReadonlyMap<string, number>;
  /** What was seen of each tensor outside of branches, where statistics were kept. */
  readonly statistics?: ReadonlyMap<string, StatisticsData>;
}

/**
 * Observes activations: runs the model over samples in ONNX Runtime, and chooses a range for each tensor from its smallest and largest value
 * (`minmax`) or from its histogram. Memory does not grow with the number of samples, and their order changes nothing.
 * @param samples a path of samples, or where they come from
 * @throws SO4001… for data that does not fit the model, SO5001 when ONNX Runtime rejects the model, SO5005 for an execution
 *   provider that does not work here
 */
export async function calibrate(
  model: Model,
  samples: string | SampleSource,
  options: CalibrateOptions = {},
  context: WorkflowContext = {},
): Promise<Calibration> {
  checkOptions('quantize', options);
  const source = sampleSource(samples);
  const dataPath = source.kind === 'data' ? source.path : undefined;
  checkDataPaths(dataPath);
  const inputs = new WatchedInputs(dataPath);
  inputs.add(model);
  const memoryBytes = memoryLimit(options, [model]);
  const specs = inputSpecs(model);
  const sized = source.dims ? withSizes(specs, source.dims) : specs;
  checkMemory(model, memoryBytes, { inputs: sized, madeUp: dataPath === undefined });
  await checkProviders(options.executionProviders, context);
  const runtime = await startRuntime(runtimeOptions({ ...options, ...context }, memoryBytes));
  try {
    return await inputs.during(context.signal, () => calibrateIn(runtime, model, source, options, context));
  } finally {
    await runtime.close();
  }
}

/** What is observed beside ranges. */
export interface ObservationOptions extends CalibrateOptions {
  /** Tensors of which the mean square of each channel is wanted; without `tensors` those that static quantization looks at. */
  readonly channels?: ReadonlyMap<string, ChannelShape>;
}

/** Like `calibrate`, in a child process that is there already: a second one would take its memory twice. */
export async function calibrateIn(
  runtime: RuntimeHost,
  model: Model,
  source: SampleSource,
  options: ObservationOptions = {},
  context: WorkflowContext = {},
): Promise<Calibration> {
  assertUsable(model);
  inferTypes(model);
  const plan = options.tensors ? undefined : planStatic(model);
  const names = options.tensors ?? plan?.observe ?? [];
  if (names.length === 0) return { ranges: new Map(), samples: 0, nonFinite: new Map() };
  const channels = options.channels ?? (plan && headChannels(plan));
  const observer = options.observer ?? CALIBRATE_DEFAULTS.observer;
  if (options.statistics || observer !== 'minmax') {
    return withStatistics(runtime, model, { names, channels, source }, { ...options, observer }, context);
  }
  return byReductions(runtime, model, { names, channels, source }, options, context);
}

/** What is to be observed. */
interface Wanted {
  readonly names: readonly string[];
  /** Tensors of which the mean square of each channel is wanted. */
  readonly channels: ReadonlyMap<string, ChannelShape> | undefined;
  readonly source: SampleSource;
}

/** Smallest and largest values, computed by ONNX Runtime: only two numbers a tensor leave it. */
async function byReductions(
  runtime: RuntimeHost,
  model: Model,
  { names, channels, source }: Wanted,
  options: CalibrateOptions,
  context: WorkflowContext,
): Promise<Calibration> {
  const augmented = model.clone();
  const observed = exposeRanges(augmented, names, channels);
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(augmented, folder);
    const { session } = await runtime
      .request('load', { path, options: withOptions(SESSIONS.observed, sessionOptions(options)) })
      .catch((error: unknown) => {
        throw asUnplaced(error);
      });
    const inputs = inputSpecs(model);
    const fitted = await fittedSource(runtime, session, model, source);
    const result = await runtime.request(
      'ranges',
      {
        session,
        source: fitted,
        inputs,
        batchSize: options.batch ?? CALIBRATE_DEFAULTS.batch,
        observed,
      },
      { onProgress: ({ done, total }) => context.onProgress?.({ kind: 'advance', stage: 'calibrate', done, total }) },
    );
    // After an error the child is closed by whoever started it; here its memory is wanted back.
    await runtime.request('release', { session });
    if (result.samples === 0) throw new ServeOptError('SO4004', 'The calibration data has no samples');
    return { ranges: result.ranges, samples: result.samples, nonFinite: result.nonFinite };
  });
}

/** Histograms of the tensors of the main graph; smallest and largest values of those in branches. */
async function withStatistics(
  runtime: RuntimeHost,
  model: Model,
  wanted: Wanted,
  options: CalibrateOptions & { readonly observer: ObserverName },
  context: WorkflowContext,
): Promise<Calibration> {
  const { activations = U8_ACTIVATIONS, observer } = options;
  // What a sample is shall not depend on how many run at once.
  const settings = observer === 'moving-average' ? { ...options, batch: 1 } : options;
  const inMain = new Set(mainGraphValues(model, wanted.names).map(({ name }) => name));
  const inBranches = wanted.names.filter((name) => !inMain.has(name));
  const rest =
    inBranches.length === 0
      ? undefined
      : await byReductions(runtime, model, { ...wanted, names: inBranches }, options, context);
  if (rest && inMain.size === 0) return { ...rest, statistics: new Map() };
  const { statistics, samples } = await observeTensors(
    runtime,
    model,
    { ...wanted, names: [...inMain] },
    settings,
    memoryLimit(options, [model]),
    context,
  );
  if (samples === 0) throw new ServeOptError('SO4004', 'The calibration data has no samples');
  const ranges = new Map<string, ValueRange>(rest?.ranges);
  const nonFinite = new Map<string, number>(rest?.nonFinite);
  for (const [name, each] of statistics) {
    const count = each.nan + each.infinite;
    if (count > 0) nonFinite.set(name, count);
    if (each.chunks > 0) ranges.set(name, rangeOf(each, observedRange(observed(each), observer, activations)));
  }
  return { ranges, samples, nonFinite, statistics };
}

/** A range with the power of channels beside it, where that was observed. */
export function rangeOf({ channelPower }: StatisticsData, { min, max }: NumberRange): ValueRange {
  return { min, max, ...(channelPower ? { channelPower } : {}) };
}
