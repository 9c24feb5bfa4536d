import { ServeOptError } from '../errors.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import { assertUsable } from '../ir/usable.js';
import { assertValid } from '../ir/verify.js';
import { type StagedModel, stageModel } from '../ir/write-model.js';
import type { LatencyComparison, QuantizeReport } from '../report/types.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import type { RuntimeHost } from '../runtime/host.js';
import { LazyRuntime } from '../runtime/lazy-runtime.js';
import type { SampleSource } from '../runtime/types.js';
import { inputSpecs } from '../runtime/value-specs.js';
import { checkWorkFolder } from '../runtime/work-folder.js';
import { packageVersion } from '../version.js';
import { type Converted, convertFloat16WithRanges, convertModel } from './convert-model.js';
import { SEEDED_SAMPLES } from './fit-source.js';
import { judge } from './judge.js';
import { checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import { growthBytes } from './optimize/growth.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkData, checkDataPaths, checkLabels, checkRunnable } from './preflight/data.js';
import { doubtsAboutScale } from './preflight/input-scale.js';
import { checkLayers } from './preflight/layers.js';
import { checkProviders } from './preflight/providers.js';
import { describeConversion } from './quantize-words.js';
import { FileHashes } from './report-files.js';
import { siblingPath } from './report-path.js';
import { whyTooLarge } from './result-growth.js';
import { checkRunFiles } from './run-files.js';
import { type SampleSplit, splitSamples } from './sample-split.js';
import { Stages } from './stages.js';
import { loadPair, whyNotRunnable } from './verify.js';
import { WatchedInputs } from './watched-inputs.js';
import { commitWithReport } from './write-report.js';

/** Samples a run while judging a model whose result does not depend on it. */
const JUDGING_BATCH = 8;

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
      assertUsable(model);
      assertValid(model);
      checkRunFiles(model, path, outputPath, options);
      const split = await checkBeforeWork(model, runtime, memoryBytes, options);
      // Calibration and the look at what overflows run models from there.
      const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
      if (options.dataPath !== undefined || (options.mode === 'fp16' && verify)) await checkWorkFolder();
      stages.end(`${model.graph.nodes.size} nodes`);
      const doubts =
        options.dataPath === undefined
          ? []
          : await doubtsAboutScale(await runtime.host(), model, options.dataPath, options.evalPath);
      const opened = {
        model,
        path,
        outputPath,
        options,
        ignored: [...ignored, ...doubts],
        stages,
        inputs,
        memoryBytes,
      };
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
  if (evalPath !== undefined) await checkLabels(await runtime.host(), evalPath, model);
  return split;
}

async function quantizeOpened(
  opened: Omit<Run, 'hashes' | 'runtime'>,
  lazy: LazyRuntime,
  split: SampleSplit,
): Promise<QuantizeReport> {
  const { model, path, outputPath, options, stages, inputs, memoryBytes } = opened;
  const needed = (options.verify ?? QUANTIZE_DEFAULTS.verify) || options.dataPath !== undefined;
  // ONNX Runtime gets ready beside whatever else is done until it is needed.
  if (needed) lazy.warmUp();
  const runtime = needed ? lazy.host() : undefined;
  const hashes = new FileHashes();
  const run: Run = { ...opened, runtime, hashes };
  let staged: StagedModel | undefined;
  try {
    for (const file of [path, ...(model.source?.externalPaths() ?? [])]) hashes.begin(file);
    let attempt = await tryConversion(run, split, () =>
      convertModel(model, options, split, stages, runtime, memoryBytes),
    );
    staged = attempt.staged;
    if (runtime && attempt.converted.mode === 'fp16' && overflows(attempt.checked)) {
      staged.discard();
      const host = await runtime;
      attempt = await tryConversion(run, split, () =>
        convertFloat16WithRanges(model, options, split, stages, host, memoryBytes),
      );
      staged = attempt.staged;
    }
    const report = await describeAttempt(run, attempt);
    inputs.check();
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
  /** Warnings about options of which nothing comes. */
  readonly ignored: readonly string[];
  readonly stages: Stages;
  /** Files that must not change meanwhile. */
  readonly inputs: WatchedInputs;
  /** Absent when nothing is to be run. */
  readonly runtime: Promise<RuntimeHost> | undefined;
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
}

async function tryConversion(run: Run, split: SampleSplit, convertNow: () => Promise<Converted>): Promise<Attempt> {
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
    const checked = runtime && verify ? await check(run, await runtime, staged, done, split) : undefined;
    return { converted, done, tooLarge, staged, checked };
  } catch (error) {
    staged.discard();
    throw error;
  }
}

async function describeAttempt(run: Run, attempt: Attempt): Promise<QuantizeReport> {
  const { model, options, hashes, runtime } = run;
  const { converted, done, tooLarge, staged, checked } = attempt;
  const { calibration } = converted;
  const told = describeConversion(converted, done, tooLarge, options);
  const versions = await (await runtime)?.request('versions', undefined);
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
      runs: checked?.comparison ? 'passed' : 'skipped',
      ...(checked?.reason === undefined ? {} : { reason: checked.reason }),
      ...(checked?.comparison ? { comparison: checked.comparison } : {}),
    },
    ...(checked?.accuracy ? { accuracy: checked.accuracy } : {}),
    ...(checked?.latency ? { latency: checked.latency } : {}),
    warnings: [
      ...run.ignored,
      ...converted.warnings,
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
    ],
  };
}

interface Checked {
  readonly loads: 'passed' | 'skipped';
  readonly reason?: string;
  readonly comparison?: ComparisonResult;
  readonly accuracy?: ComparisonResult;
  readonly latency?: LatencyComparison;
  readonly warnings: readonly string[];
}

/** Loads, runs, compares and times the staged result beside the original. */
async function check(
  run: Run,
  runtime: RuntimeHost,
  staged: StagedModel,
  done: QuantizeReport['mode'],
  split: SampleSplit,
): Promise<Checked> {
  const { model, options, stages } = run;
  const reason = whyNotRunnable(model);
  if (reason !== undefined) return { loads: 'skipped', reason, warnings: [`The result was not run: ${reason}.`] };
  stages.start('load');
  const pair = await loadPair(
    runtime,
    model,
    { a: run.path, b: staged.stagedPath },
    { ...options, ...stages.context('compare') },
  );
  stages.end();
  stages.start('compare');
  const judging = await pair.fit(split.judging);
  if (typeof judging === 'string') {
    stages.end();
    return { loads: 'passed', reason: judging, warnings: [`The result was loaded but not run: ${judging}.`] };
  }
  // A dynamically quantized model takes its scales from the whole batch: it is judged one sample at a time.
  const batch = options.batch ?? (done === 'dynamic' ? 1 : JUDGING_BATCH);
  const comparison = await pair.compare(judging, batch);
  const accuracy =
    options.evalPath === undefined ? undefined : await pair.compare({ kind: 'data', path: options.evalPath }, batch);
  if (accuracy && (accuracy.metrics ?? []).length === 0) throw notScored(accuracy);
  stages.end(`${comparison.samples + (accuracy?.samples ?? 0)} samples`);
  stages.start('measure');
  const latency = await pair.latency(judging);
  stages.end();
  const warnings = judge({ comparison, accuracy });
  if (judging.kind === 'data' && !split.heldOut) {
    warnings.push('Too few samples to hold some out: the comparison ran on the calibration samples.');
  }
  return { loads: 'passed', comparison, ...(accuracy ? { accuracy } : {}), latency, warnings };
}

/** Labels of which only a run could tell that no output fits them. */
function notScored({ source, metricsSkipped }: ComparisonResult): ServeOptError {
  const name = source.kind === 'data' ? source.name : '';
  return new ServeOptError('SO4005', `The labels in "${name}" cannot be scored against any output`, {
    ...(metricsSkipped === undefined ? {} : { why: metricsSkipped }),
    hint: 'labels are class numbers from 0 on, one a sample, or what the output itself holds',
  });
}

/** Half precision that loses no more than rounding stays well above this, in dB. */
const ROUNDING_ONLY_DB = 35;

/** True when a half-precision result looks as if values left its range: new NaN or infinities, or far more than rounding. */
function overflows(checked: Checked | undefined): boolean {
  const outputs = checked?.comparison?.outputs ?? [];
  return outputs.some(
    ({ nonFinite, sqnrDb }) => nonFinite.b > nonFinite.a || (sqnrDb !== undefined && sqnrDb < ROUNDING_ONLY_DB),
  );
}
