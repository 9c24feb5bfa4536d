import type { GateFinding } from '../evaluate/comparison-gates.js';
import { countModel } from '../ir/diff.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import { type StagedModel, stageModel } from '../ir/write-model.js';
import type { QuantizeReport } from '../report/types.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import { LazyRuntime } from '../runtime/lazy-runtime.js';
import { checkWorkFolder } from '../runtime/work-folder.js';
import type { SampleSource } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { packageVersion } from '../version.js';
import { missedGate } from './comparison-warnings.js';
import { checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkData, checkDataPaths, checkLabels } from './preflight/data.js';
import { doubtsAboutScale } from './preflight/input-scale.js';
import { metricWish } from './preflight/judging.js';
import { checkLayers } from './preflight/layers.js';
import { checkModel } from './preflight/model.js';
import { checkProviders } from './preflight/providers.js';
import { checkRunnable } from './preflight/runnable.js';
import { growthBytes } from './produce/growth.js';
import { siblingPath } from './produce/report-path.js';
import { checkRunFiles } from './produce/run-files.js';
import { type Checked, checkWhatFits } from './quantize/check-quantized.js';
import { convertModel } from './quantize/convert-model.js';
import type { Converted } from './quantize/converted.js';
import { describeConversion } from './quantize/describe-conversion.js';
import { isLossy, judgeHalf } from './quantize/float16/half-warnings.js';
import { keepLossyLayers, type LossyNames } from './quantize/float16/keep-lossy-layers.js';
import { type LoadFallback, tryFallbacks } from './quantize/float16/load-fallbacks.js';
import { whyTooLarge } from './quantize/result-growth.js';
import { type SampleSplit, splitSamples } from './quantize/sample-split.js';
import { FileHashes } from './report-files.js';
import { Stages } from './stages.js';
import { WatchedInputs } from './watched-inputs.js';
import { SEEDED_SAMPLES } from './workbench/fit-source.js';
import { commitWithReport } from './write-report.js';

/**
 * Quantizes a model file: converts, writes, loads both models in ONNX Runtime, compares and times them, and only then
 * lets the output appear, with a JSON report beside it.
 * @throws ServeOptError; the output path then holds what it held before
 */
export async function quantizeModel(path: string, options: QuantizeOptions = {}): Promise<QuantizeReport> {
  const ignored = checkOptions('quantize', options);
  checkDataPaths(options.dataPath, options.evalPath);
  growthBytes(options.maxGrowth ?? QUANTIZE_DEFAULTS.maxGrowth, 0);
  const outputPath = options.outputPath ?? siblingPath(path, options.mode === 'fp16' ? 'fp16' : 'int8');
  const stages = new Stages(options);
  const inputs = new WatchedInputs(options.dataPath, options.evalPath);
  stages.start('read');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  const memoryBytes = memoryLimit(options, [model]);
  const runtime = new LazyRuntime(runtimeOptions(options, memoryBytes));
  inputs.add(model);
  try {
    return await inputs.during(options.signal, async () => {
      const invalid = checkModel(model, options);
      checkRunFiles(model, path, outputPath, options);
      const split = await checkBeforeWork(model, runtime, memoryBytes, options);
      // Calibration and the look at what overflows run models from there.
      const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
      if (options.dataPath !== undefined || (options.mode === 'fp16' && verify)) await checkWorkFolder();
      stages.end(`${countModel(model).nodes} nodes`);
      const doubts =
        options.dataPath === undefined
          ? []
          : await doubtsAboutScale(await runtime.host(), model, options.dataPath, options.evalPath);
      const warned = [...ignored, ...invalid, ...doubts];
      const opened = { model, path, outputPath, options, ignored: warned, stages, inputs, memoryBytes };
      return await quantizeOpened(opened, runtime, split);
    });
  } finally {
    await runtime.close();
    model.source?.close();
  }
}

/**
 * Everything that can be known before work is done: layers, execution providers, data and labels.
 * @returns which samples calibrate and which judge; made-up ones where there is no data
 */
async function checkBeforeWork(
  model: Model,
  runtime: LazyRuntime,
  memoryBytes: number,
  options: QuantizeOptions,
): Promise<SampleSplit> {
  const { dataPath, evalPath } = options;
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  checkLayers(model, options);
  if (verify || dataPath !== undefined)
    checkMemory(model, memoryBytes, { inputs: inputSpecs(model), madeUp: dataPath === undefined });
  if (options.mode === 'static') checkRunnable(inputSpecs(model), [], 'static INT8 needs to run the model');
  if (verify) await checkProviders(options.executionProviders, options);
  const seeded: SampleSource = { kind: 'seeded', seed: options.seed ?? QUANTIZE_DEFAULTS.seed, count: SEEDED_SAMPLES };
  let split: SampleSplit = { calibration: undefined, judging: seeded, heldOut: true };
  if (dataPath !== undefined) {
    const { count } = await checkData(await runtime.host(), dataPath, [inputSpecs(model)]);
    split = splitSamples(dataPath, count, options.samples ?? QUANTIZE_DEFAULTS.samples, { holdOut: verify });
  }
  const wish = metricWish(options, outputNames(model));
  if (evalPath !== undefined) await checkLabels(await runtime.host(), evalPath, model, wish);
  return split;
}

const outputNames = (model: Model): string[] => model.graph.outputs.map(({ name }) => name);

async function quantizeOpened(
  opened: Omit<Run, 'hashes' | 'runtime'>,
  lazy: LazyRuntime,
  split: SampleSplit,
): Promise<QuantizeReport> {
  const { model, path, outputPath, options, stages, inputs, memoryBytes } = opened;
  const needed = (options.verify ?? QUANTIZE_DEFAULTS.verify) || options.dataPath !== undefined;
  // ONNX Runtime gets ready beside whatever else is done until it is needed.
  if (needed) lazy.warmUp();
  const runtime = needed ? lazy : undefined;
  const hashes = new FileHashes();
  const run: Run = { ...opened, runtime, hashes };
  let staged: StagedModel | undefined;
  try {
    for (const file of [path, ...(model.source?.externalPaths() ?? [])]) hashes.begin(file);
    const convertWith = (fallback: LoadFallback): Promise<Attempt> =>
      tryConversion(
        run,
        split,
        () => convertModel(model, options, split, stages, runtime?.host(), memoryBytes, fallback),
        fallback,
      );
    const isHalf = options.mode === 'fp16';
    let attempt = await (isHalf && runtime ? tryFallbacks(runtime, stages, convertWith) : convertWith({}));
    staged = attempt.staged;
    let lossyLayers: LossyNames | undefined;
    if (runtime && attempt.checked?.half && isLossy(attempt.checked.comparison)) {
      const { judging } = attempt.checked;
      const source = split.calibration ? { kind: 'data' as const, ...split.calibration } : judging;
      const repaired = await keepLossyLayers(run, attempt.converted, source, await runtime.host());
      lossyLayers = repaired.lossyLayers;
      const { converted } = repaired;
      if (converted) {
        staged.discard();
        attempt = await tryConversion(run, split, async () => converted, attempt.fallback);
        staged = attempt.staged;
      }
    }
    const report = await describeAttempt(run, attempt, lossyLayers);
    inputs.check();
    refuseMissed(report.gates ?? []);
    if (options.dryRun) staged.discard();
    else await commitWithReport(staged, report, outputPath);
    return report;
  } finally {
    staged?.discard();
    await hashes.close();
  }
}

/** What every part of one run needs. */
interface Run {
  readonly model: Model;
  readonly path: string;
  readonly outputPath: string;
  readonly options: QuantizeOptions;
  /** Warnings about options of which nothing comes, and about rules that the model breaks. */
  readonly ignored: readonly string[];
  readonly stages: Stages;
  /** Files that must not change meanwhile. */
  readonly inputs: WatchedInputs;
  /** Absent when nothing is to be run. */
  readonly runtime: LazyRuntime | undefined;
  readonly hashes: FileHashes;
  readonly memoryBytes: number;
}

/** A conversion that has been written beside the target and, unless switched off, run. */
interface Attempt {
  readonly converted: Converted;
  readonly done: QuantizeReport['mode'];
  /** Why a result that was made is not handed over. */
  readonly tooLarge: string | undefined;
  readonly staged: StagedModel;
  readonly checked: Checked | undefined;
  readonly fallback: LoadFallback;
}

async function tryConversion(
  run: Run,
  split: SampleSplit,
  convertNow: () => Promise<Converted>,
  fallback: LoadFallback,
): Promise<Attempt> {
  const { model, options, stages, hashes, runtime } = run;
  const converted = await convertNow();
  let done: QuantizeReport['mode'] = converted.step.changed > 0 ? converted.mode : 'none';
  stages.start('write');
  const stage = (written: Model): Promise<StagedModel> =>
    stageModel(written, run.outputPath, {
      ...(options.signal ? { signal: options.signal } : {}),
      onProgress: (bytes, total) => stages.advance(bytes, total),
      onFileBytes: (file, bytes) => hashes.advance(file, bytes),
      force: options.dryRun ? true : (options.force ?? false),
    });
  // Nothing to do means nothing done: the original's own bytes, not a model that was merely prepared.
  let staged = await stage(done === 'none' ? model : converted.conversion.model);
  const tooLarge = done === 'none' ? undefined : whyTooLarge(model, run.path, staged.written.sizeBytes, done, options);
  if (tooLarge !== undefined) {
    staged.discard();
    done = 'none';
    staged = await stage(model);
  }
  stages.endWriting(staged.written.sizeBytes);
  try {
    const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
    const candidate = { path: staged.stagedPath, mode: done, session: fallback.session };
    const checked = runtime && verify ? await checkWhatFits(run, runtime, candidate, split) : undefined;
    return { converted, done, tooLarge, staged, checked, fallback };
  } catch (error) {
    staged.discard();
    throw error;
  }
}

async function describeAttempt(
  run: Run,
  { converted, done, tooLarge, staged, checked, fallback }: Attempt,
  lossyLayers: LossyNames | undefined,
): Promise<QuantizeReport> {
  const { model, options, hashes, runtime } = run;
  const { calibration } = converted;
  const told = describeConversion(converted, done, tooLarge, options);
  const compared = checked?.comparison ? checked : undefined;
  const latency = await compared?.measure();
  const versions = await (await runtime?.host())?.request('versions', undefined);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'quantize',
    version: packageVersion(),
    ...(versions ? { onnxRuntimeVersion: versions.onnxRuntime } : {}),
    requestedMode: options.mode ?? QUANTIZE_DEFAULTS.mode,
    mode: done,
    input: await hashes.model(run.path, model.source?.externalPaths() ?? []),
    output: await hashes.model(staged.stagedPath, staged.stagedDataPath === undefined ? [] : [staged.stagedDataPath]),
    ...told,
    ...(calibration ? { calibration } : {}),
    verification: {
      structure: 'passed',
      loads: checked?.loads ?? 'skipped',
      runs: compared ? 'passed' : 'skipped',
      ...(checked?.reason === undefined ? {} : { reason: checked.reason }),
      ...(compared ? { comparison: compared.comparison } : {}),
      ...(compared?.half ? { arithmetic: 'emulated half precision' as const } : {}),
    },
    ...(compared?.accuracy ? { accuracy: compared.accuracy } : {}),
    ...(compared && compared.gates.length > 0 ? { gates: compared.gates } : {}),
    ...(latency ? { latency } : {}),
    warnings: [
      ...run.ignored,
      ...converted.warnings,
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
      ...(checked?.loads === 'passed' && fallback.warning !== undefined ? [fallback.warning] : []),
      ...(compared?.half ? judgeHalf(compared.comparison, compared.half.here, lossyLayers) : []),
    ],
  };
}

/** A result that misses a gate is not delivered. @throws SO7001 */
function refuseMissed(gates: readonly GateFinding[]): void {
  const missed = gates.find(({ verdict }) => verdict === 'fail');
  if (missed) throw missedGate(missed);
}
