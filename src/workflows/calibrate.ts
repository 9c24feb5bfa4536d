import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { assertUsable } from '../ir/usable.js';
import { inferTypes } from '../ops/infer-types.js';
import { exposeRanges } from '../quantize/expose-ranges.js';
import type { RangeMap } from '../quantize/observers.js';
import { headChannels, planStatic } from '../quantize/plan.js';
import { type RuntimeHost, startRuntime } from '../runtime/host.js';
import { writeRunnable } from '../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../runtime/session-options.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import { sampleSource } from '../samples/sample-source.js';
import type { SampleSource } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import { CALIBRATE_DEFAULTS, type CalibrateOptions, type WorkflowContext } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkDataPaths } from './preflight/data.js';
import { withSizes } from './preflight/input-sizes.js';
import { asInvalidModel } from './preflight/model.js';
import { checkProviders } from './preflight/providers.js';
import { WatchedInputs } from './watched-inputs.js';
import { sessionOptions } from './workbench/execution-session.js';
import { fitSource } from './workbench/fit-source.js';

/** What `calibrate` found. */
export interface Calibration {
  /** Smallest and largest finite value of each tensor over all samples. */
  readonly ranges: RangeMap;
  readonly samples: number;
  /** Tensors that gave NaN or infinities, with the number of runs in which they did. */
  readonly nonFinite: ReadonlyMap<string, number>;
}

/**
 * Observes the range of activations: runs the model over samples in ONNX Runtime and keeps the smallest and largest
 * value of each tensor (min-max calibration). Memory does not grow with the number of samples.
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

/** Like `calibrate`, in a child process that is there already: a second one would take its memory twice. */
export async function calibrateIn(
  runtime: RuntimeHost,
  model: Model,
  source: SampleSource,
  options: CalibrateOptions = {},
  context: WorkflowContext = {},
): Promise<Calibration> {
  assertUsable(model);
  inferTypes(model);
  const plan = options.tensors ? undefined : planStatic(model);
  const names = options.tensors ?? plan?.observe ?? [];
  if (names.length === 0) return { ranges: new Map(), samples: 0, nonFinite: new Map() };
  const augmented = model.clone();
  const observed = exposeRanges(augmented, names, plan && headChannels(plan));
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(augmented, folder);
    const { session } = await runtime
      .request('load', { path, options: withOptions(SESSIONS.observed, sessionOptions(options)) })
      .catch((error: unknown) => {
        throw asUnplaced(error);
      });
    const inputs = inputSpecs(model);
    const fitted = await fitSource(runtime, session, inputs, source);
    if (typeof fitted === 'string') {
      throw new ServeOptError('SO5002', `The model cannot be calibrated: ${fitted}`, {
        hint: 'give real samples with --data, or sizes with --dim',
      });
    }
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

/** A refusal without the path of a working copy, which is gone when it is read. */
function asUnplaced(error: unknown): unknown {
  if (!(error instanceof ServeOptError) || error.code !== 'SO5001') return error;
  return asInvalidModel(new ServeOptError(error.code, error.message, { cause: error }), {});
}
