import { ServeOptError } from '../../errors.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { checkWorkFolder } from '../../runtime/work-folder.js';
import { sizedDataInputs } from '../../samples/sized-inputs.js';
import type { SampleSource } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { checkMemory } from '../memory.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../options.js';
import { checkData, checkLabels } from '../preflight/data.js';
import { doubtsAboutScale } from '../preflight/input-scale.js';
import { withSizes } from '../preflight/input-sizes.js';
import { metricWish } from '../preflight/judging.js';
import { checkLayers } from '../preflight/layers.js';
import { checkProviders } from '../preflight/providers.js';
import { checkRunnable } from '../preflight/runnable.js';
import type { ModelRun } from '../produce/model-run.js';
import { SEEDED_SAMPLES } from '../workbench/fit-source.js';
import { type SampleSplit, splitSamples } from '../workbench/sample-split.js';
import { LoadFallbacks } from './float16/load-fallbacks.js';
import { schemesOf } from './schemes/schemes-of.js';

/** What a quantization needs beside the run itself. */
export interface QuantizeWork {
  /** Samples that calibrate and samples that judge. */
  readonly split: SampleSplit;
  /** Absent when nothing is to be run. */
  readonly runtime: LazyRuntime | undefined;
  /** What to try where ONNX Runtime dies of a result; absent where nothing is known to help. */
  readonly fallbacks: LoadFallbacks | undefined;
  /** Samples that look as if they were not scaled for the model. */
  readonly doubts: readonly string[];
}

/** Everything that can be known before work is done: layers, memory, execution providers, data and labels. */
export async function prepareQuantize(run: ModelRun<QuantizeOptions>): Promise<QuantizeWork> {
  const { model, options, stages } = run;
  const { dataPath, evalPath } = options;
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const split = await checkBeforeWork(run);
  // Calibration and the look at what overflows run models from there.
  if (dataPath !== undefined || ((options.mode === 'fp16' || options.mode === 'bf16') && verify))
    await checkWorkFolder();
  const doubts =
    dataPath === undefined ? [] : await doubtsAboutScale(await run.runtime.host(), model, dataPath, evalPath);
  const runtime = verify || dataPath !== undefined ? run.runtime : undefined;
  // ONNX Runtime gets ready beside whatever else is done until it is needed.
  runtime?.warmUp();
  const fallbacks = runtime && options.mode === 'fp16' ? new LoadFallbacks(runtime, stages) : undefined;
  return { split, runtime, fallbacks, doubts };
}

/** @throws SO1003 for an override that means nothing; SO1002 for types that no kernel multiplies */
async function checkSchemes(model: ModelRun<QuantizeOptions>['model'], options: QuantizeOptions): Promise<void> {
  const wanted = schemesOf(options);
  if (wanted.overrides.length === 0 && options.schemes === undefined) return;
  const { assignSchemes, checkOverrides } = await import('../../passes/quantize/assign-schemes.js');
  checkOverrides(model, wanted.overrides);
  assignSchemes(model, wanted, wanted.overrides);
}

/** @returns which samples calibrate and which judge; synthetic ones where there is no data */
async function checkBeforeWork({
  model,
  runtime,
  memoryBytes,
  options,
}: ModelRun<QuantizeOptions>): Promise<SampleSplit> {
  const { dataPath, evalPath } = options;
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const wantsStatic = options.for === 'tensorrt' || options.for === 'qnn';
  if (wantsStatic && dataPath === undefined && options.mode !== 'fp16' && options.mode !== 'bf16') {
    throw new ServeOptError('SO1002', `--for ${options.for} needs --data`, {
      why: 'activation ranges are measured on samples',
      hint: 'add --data samples.npz, or use --mode fp16',
    });
  }
  const { dims } = options;
  const inputs = inputSpecs(model);
  const sized = dims ? withSizes(inputs, dims) : inputs;
  checkLayers(model, options);
  await checkSchemes(model, options);
  if (verify || dataPath !== undefined)
    checkMemory(model, memoryBytes, { inputs: sized, madeUp: dataPath === undefined });
  if (options.mode === 'static' || options.mode === 'fp8')
    checkRunnable(inputs, [], `${options.mode === 'fp8' ? 'FP8' : 'static INT8'} needs to run the model`);
  if (verify) await checkProviders(options.executionProviders, options);
  const seed = options.seed ?? QUANTIZE_DEFAULTS.seed;
  const seeded: SampleSource = { kind: 'seeded', seed, count: SEEDED_SAMPLES, ...(dims ? { dims } : {}) };
  let split: SampleSplit = { calibration: undefined, judging: seeded, heldOut: true };
  if (dataPath !== undefined) {
    const { count, block = 1 } = await checkData(await runtime.host(), dataPath, [sizedDataInputs(inputs, dims)]);
    const limit = options.samples ?? QUANTIZE_DEFAULTS.samples;
    split = splitSamples(dataPath, count, limit, { holdOut: verify, block });
  }
  const names = model.graph.outputs.map(({ name }) => name);
  const wish = metricWish(options, names);
  if (evalPath !== undefined) await checkLabels(await runtime.host(), evalPath, model, wish);
  return split;
}
